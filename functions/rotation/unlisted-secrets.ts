import type { Token } from '../management-api/token.ts';
import { entryOf, type Policy, type TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { OWNER_TAG, type Secret } from '../secrets-manager/secret.ts';
import { homeOf, parseMarker } from '../tokens/marker.ts';
import { asOwned, type Observation, type ObservedSecret } from '../tokens/observation.ts';
import { isUnproven } from '../tokens/proof.ts';
import { currentHolder } from '../tokens/state.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';

/** Secrets that are not listed as ours, and that entries with `adopt` name: their tags were lost, or are not listed yet. */
export interface Unlisted {
  /** Keyturn has rotated them: an `adopt` that stayed in their entries means nothing any more. */
  readonly rotated: ReadonlySet<string>;
  /** They have our tag, or the token that their entries name was adopted for them: then they are ours if they still have its string. */
  readonly ours: readonly Secret[];
}

/**
 * Whether AWSCURRENT has what Keyturn put there, under its own version id or under one that Secrets Manager chose, and the
 * entry names another token. What people put there since may be the token that it names.
 */
function isRotated(
  { adopt }: TokenPolicy,
  { labels, arn }: Secret,
  { foreign }: Pick<Observation, 'foreign'>,
  { owner }: Pick<Policy, 'owner'>,
): boolean {
  const adopted = adopt?.tokenId.toLowerCase();
  const { AWSCURRENT: current = '' } = labels;
  const named = tokenNamedBy(current);
  if (named?.certain) return named.tokenId !== adopted;
  const isMintedFor = ({ id, description }: Token) => {
    const marker = parseMarker(description)?.marker;
    const isIts = marker?.owner === owner && marker.home === homeOf(arn);
    return isIts && id !== adopted && marker.minted === current;
  };
  return current !== '' && [...foreign.values()].some(isMintedFor);
}

/** Whether the token that the entry names was adopted for this very secret. */
function wasAdopted(
  { adopt }: TokenPolicy,
  secret: Secret,
  { foreign }: Pick<Observation, 'foreign'>,
  { owner }: Pick<Policy, 'owner'>,
): boolean {
  const token = foreign.get(adopt?.tokenId.toLowerCase() ?? '');
  const named = (name: string) => (name === secret.name ? secret : undefined);
  const owned = token && asOwned(token, owner, named);
  return owned !== undefined && owned.marker.fp !== undefined && !isUnproven(owned.marker);
}

/**
 * Whether a secret that is not listed is ours: by its tag, or, but for its tags, because AWSCURRENT has the string of the token that
 * its entry names.
 */
export function isOursUnlisted(seen: ObservedSecret, policy: Pick<Policy, 'tokens'>): boolean {
  if (seen.secret.tags[OWNER_TAG] !== undefined) return true;
  const holder = currentHolder(seen);
  const { adopt } = entryOf(policy, seen.secret.name) ?? {};
  return holder?.state === 'owned' && holder.owned.token.id === adopt?.tokenId.toLowerCase();
}

async function describe(name: string, { secrets, log }: Tools): Promise<Secret | undefined> {
  try {
    return await secrets.describe(name);
  } catch (error) {
    // The adoption will meet it too, and fail.
    log.warn('a secret could not be described', { secret: name, error });
    return undefined;
  }
}

/** Asks only about entries that would be adopted. */
export async function findUnlisted(observation: Observation, tools: Tools): Promise<Unlisted> {
  const unlisted = tools.policy.tokens.filter(
    ({ adopt, secret }) => adopt && !observation.secrets.has(secret),
  );
  const rotated = new Set<string>();
  const ours: Secret[] = [];
  await Promise.all(
    unlisted.map(async (entry) => {
      const secret = await describe(entry.secret, tools);
      if (!secret) return;
      const { policy } = tools;
      const owner = secret.tags[OWNER_TAG];
      const isTagged = owner === policy.owner;
      if (!isTagged && isRotated(entry, secret, observation, policy)) {
        rotated.add(entry.secret);
      } else if (
        isTagged ||
        (owner === undefined && wasAdopted(entry, secret, observation, policy))
      ) {
        ours.push(secret);
      }
    }),
  );
  return { rotated, ours };
}
