import type { Finding } from '../run/plan.ts';
import { OWNER_TAG } from '../secrets-manager/secret.ts';
import type { Observation } from './observation.ts';

/** Secrets that Secrets Manager does not show to this function. All others are looked after as ever. */
export const unreadableSecrets = ({ secrets }: Pick<Observation, 'secrets'>): Finding[] =>
  [...secrets].flatMap(([secret, { unreadable }]) => {
    if (unreadable === undefined) return [];
    const message =
      `its versions cannot be read, so nothing of it is judged by age (${unreadable}); ` +
      `allow the role to read it, put its entry back into the policy, or take the tag ${OWNER_TAG} off it`;
    return [{ kind: 'Unreadable', secret, message }];
  });
