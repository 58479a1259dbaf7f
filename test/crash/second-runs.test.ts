import { describeCrashPoints } from './crash-points.ts';
import { secondRuns } from './faults.ts';

describeCrashPoints('two runs beside each other', secondRuns);
