import { describeCrashPoints } from './crash-points.ts';
import { policyChanges } from './scenarios/policy-changes.ts';

describeCrashPoints('policy-changes', policyChanges);
