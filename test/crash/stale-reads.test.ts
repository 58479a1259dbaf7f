import { describeCrashPoints } from './crash-points.ts';
import { staleReads } from './faults.ts';

describeCrashPoints('a run that reads what was', staleReads);
