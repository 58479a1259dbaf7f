import { entryOf, type Policy } from '../policy/policy.ts';
import type { Finding } from '../run/plan.ts';
import { OWNER_TAG } from '../secrets-manager/secret.ts';
import type { Observation } from './observation.ts';

/** Whose right is missing: the same look is a function's, and a person's with `--local`. */
export const rightOn = (action: string, secret: string): string =>
  `allow whoever runs this (the role of the function; with --local, you) ${action} on ${secret}`;

/** Secrets that Secrets Manager does not show to whoever runs this. All others are looked after as ever. */
export const unreadableSecrets = (
  { secrets }: Pick<Observation, 'secrets'>,
  policy: Pick<Policy, 'tokens'>,
): Finding[] =>
  [...secrets].flatMap(([secret, { unreadable }]) => {
    if (unreadable === undefined) return [];
    const advice = rightOn('secretsmanager:ListSecretVersionIds', secret);
    // The roles of the functions may read what the policy names: only of another one that is a matter of the policy.
    const other = `, put its entry back into the policy, or take the tag ${OWNER_TAG} off it`;
    const message = `its versions cannot be read, so nothing of it is judged by age (${unreadable}); ${advice}${entryOf(policy, secret) ? '' : other}`;
    return [{ kind: 'Unreadable', secret, message }];
  });
