import { describeCrashPoints } from './crash-points.ts';
import { people } from './faults.ts';

describeCrashPoints('a person who acts at any moment', people);
