import { isNamedByKeyturn, type Policy, type TokenPolicy } from '../../policy/policy.ts';
import type { Finding } from '../../run/plan.ts';
import { ADOPTED_TAG } from '../../secrets-manager/secret.ts';
import type { ObservedSecret } from '../../tokens/observation.ts';

const KEY_OF_AWS = 'alias/aws/secretsmanager';

/** A key as `alias/…` or `key/…`, of whichever form AWS or the policy names it by; absent: AWS's own. */
export const shortly = (key = KEY_OF_AWS) => {
  const name = key.split(':').at(-1) ?? key;
  return /^(?:alias|key)\//.test(name) ? name : `key/${name}`;
};

/** Whether these are two names of one kind, so that a person has changed the one: which key an alias means, nobody looks up. AWS's own is no customer's. */
export function differ(one: string, other: string): boolean {
  if (one === other) return false;
  return [one, other].includes(KEY_OF_AWS) || one.startsWith('key/') === other.startsWith('key/');
}

/** What is said where two names may be those of one key; nothing where they are two for sure. */
export const unlessOne = (one: string, other: string, advice: string): string =>
  [one, other].every((each) => each.startsWith('alias/') && each !== KEY_OF_AWS)
    ? ` (both may be one key: which one an alias means, nobody looks up; ${advice})`
    : '';

/** Whether a secret was taken over from others: its tags say so where its entry no longer does. */
export const isAdopted = ({ secret }: ObservedSecret) => secret.tags[ADOPTED_TAG] !== undefined;

/**
 * Says of a secret that Keyturn made that it is under another key than it would be made with now. Nothing moves it by itself:
 * AWS re-encrypts for whoever may use both keys, and no function has a right to change a secret's key.
 */
export function otherKey(
  policy: Pick<Policy, 'owner' | 'encryptionKey' | 'isDeployed'>,
  entry: TokenPolicy,
  seen: ObservedSecret | undefined,
): readonly Finding[] {
  // An app may name another key than its policy file, or one where that names none: nothing here knows it.
  if (!policy.isDeployed || !seen || !isNamedByKeyturn(policy, entry)) return [];
  const { secret } = seen;
  if (isAdopted(seen) || secret.replica || secret.deletedAt !== undefined) return [];
  const { encryptionKey = KEY_OF_AWS } = policy;
  const [found, wanted] = [shortly(secret.key), shortly(encryptionKey)];
  if (!differ(found, wanted)) return [];
  const why =
    policy.encryptionKey === undefined ? 'without an encryptionKey' : 'as encryptionKey says';
  return [
    {
      token: entry.name,
      secret: entry.secret,
      kind: 'KeyDiffers',
      message:
        `it is under ${found}, expected ${wanted} ${why}; it stays, and needs that key until it is moved${unlessOne(found, wanted, 'the command then changes the name alone')}, by somebody who may use both: ` +
        `aws secretsmanager update-secret --secret-id ${entry.secret} --kms-key-id ${encryptionKey}; ` +
        'that encrypts AWSCURRENT, AWSPREVIOUS and AWSPENDING anew, and no other version (docs/security.md)',
    },
  ];
}
