import { describeCrashPoints } from './crash-points.ts';
import { secretsManager } from './scenarios/secrets-manager.ts';

describeCrashPoints('secrets-manager', secretsManager);
