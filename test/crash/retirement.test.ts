import { describeCrashPoints } from './crash-points.ts';
import { retirement } from './scenarios/retirement.ts';

describeCrashPoints('retirement', retirement);
