import { describeCrashPoints } from './crash-points.ts';
import { rotation } from './scenarios/rotation.ts';

describeCrashPoints('rotating', rotation);
