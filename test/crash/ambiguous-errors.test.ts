import { describeCrashPoints } from './crash-points.ts';
import { ambiguousErrors } from './faults.ts';

describeCrashPoints('a run whose calls fail, with or without effect', ambiguousErrors);
