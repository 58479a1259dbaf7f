import { describeCrashPoints } from './crash-points.ts';
import { kills } from './faults.ts';

describeCrashPoints('a run that is killed at any remote call', kills);
