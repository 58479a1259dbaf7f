import type { Token } from '../../management-api/token.ts';
import { entryOf, type Policy } from '../../policy/policy.ts';
import { counted, firstOf } from '../../run/counted.ts';
import type { Finding } from '../../run/plan.ts';
import { holdOf, untilReleased } from '../../secrets-manager/hold.ts';
import { DAY_MS, formatInstant, HOUR_MS } from '../../time.ts';
import { bearsOwner, homeOf, isMarked, parseMarker } from '../../tokens/marker.ts';
import type { Observation, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import {
  currentHolder,
  isExpired,
  isSame,
  isStripped,
  isUnknown,
  ownedCurrent,
  ownedPending,
  works,
} from '../../tokens/state.ts';
import { unreadableSecrets } from '../../tokens/unreadable-secrets.ts';

const ANY = '*';

/** One finding for many tokens: how many, and the first few ids. */
function summary(kind: string, tokens: readonly Token[], what: string): Finding[] {
  if (tokens.length === 0) return [];
  const ids = tokens.map(({ id }) => id).sort();
  const message = `${counted(tokens.length, 'token')} ${what}: ${firstOf(ids)}`;
  return [{ kind, message }];
}

/** Ids of tokens without our marker that consumers have, or are to have next, in a secret of ours. */
const inUse = (secrets: Observation['secrets']): Set<string> =>
  new Set(
    [...secrets.values()].flatMap(({ secret: { labels }, holders }) =>
      [labels.AWSCURRENT, labels.AWSPENDING].flatMap((version) => {
        const holder = holders.get(version ?? '');
        return holder?.state === 'foreign' ? [holder.token.id] : [];
      }),
    ),
  );

/** So long before its end somebody may still do something about a token that nobody renews. */
const SOON_MS = 7 * DAY_MS;

/** Tokens that no deployment renews, as far as can be seen, that work and end soon: the first one first. */
function expiringOf(
  { foreign, secrets, at }: Pick<Observation, 'foreign' | 'secrets' | 'at'>,
  { tokens }: Pick<Policy, 'tokens'>,
): Finding[] {
  const renewed = inUse(secrets);
  for (const { adopt } of tokens) if (adopt) renewed.add(adopt.tokenId.toLowerCase());
  const ends = [...foreign.values()]
    .flatMap((token) => {
      const { id, description, expiresAt = Number.POSITIVE_INFINITY } = token;
      const isSoon = works(token, at) && expiresAt <= at + SOON_MS;
      const isOurs = isMarked(description) || renewed.has(id.toLowerCase());
      return isSoon && !isOurs ? [{ id, expiresAt }] : [];
    })
    .sort((a, b) => a.expiresAt - b.expiresAt || a.id.localeCompare(b.id));
  if (ends.length === 0) return [];
  const named = firstOf(ends.map(({ id, expiresAt }) => `${id} (${formatInstant(expiresAt)})`));
  const verb = ends.length === 1 ? 'expires' : 'expire';
  const message = `${counted(ends.length, 'token')} of others, which nobody renews here, ${verb} within a week: ${named}`;
  return [{ kind: 'ForeignExpiring', message }];
}

/** What keeps the clocks of a secret from running. */
const unknownVersions = (seen: ObservedSecret) =>
  (['AWSCURRENT', 'AWSPREVIOUS'] as const).flatMap((label) => {
    if (!isUnknown(seen, label)) return [];
    const isYoung = seen.holders.get(seen.secret.labels[label] ?? '')?.state === 'unshown';
    const message = isYoung
      ? `the cluster does not show the token that ${label} got within the last hour`
      : `nobody knows whose string ${label} has; no token of it is retired`;
    return [{ kind: isYoung ? 'NotShownYet' : 'UnknownVersion', message }];
  });

/** What `reap` has quarantined itself nobody holds. */
const isHeldByPerson = (owned: OwnedToken) =>
  isStripped(owned) &&
  (owned.marker.quarantined === undefined || owned.marker.frozen !== undefined);

function secretFindings(seen: ObservedSecret, policy: Policy, now: number): Finding[] {
  const { name } = seen.secret;
  const findings: Finding[] = [];
  const report = (kind: string, message: string) => findings.push({ kind, secret: name, message });
  const hold = holdOf(seen.secret);
  const current = currentHolder(seen);
  if (hold) report('Held', untilReleased(hold));
  else if (current?.state === 'owned' && isHeldByPerson(current.owned)) {
    report('Held', 'its current token has no permissions');
  }
  if (current?.state === 'foreign') report('LostMarker', 'its current token lacks our marker');
  for (const { kind, message } of unknownVersions(seen)) report(kind, message);
  if (!entryOf(policy, name)) {
    const expiresAt = current?.state === 'owned' ? current.owned.token.expiresAt : undefined;
    const end = expiresAt === undefined ? '' : `; its token expires at ${formatInstant(expiresAt)}`;
    report('Unlisted', `no entry of the policy names it${end}`);
  }
  if (current?.state === 'owned' && isExpired(current.owned.token, now)) {
    report('Expired', 'its current token has expired');
  }
  return findings;
}

/**
 * Tokens that bear our owner, still work, and belong to no secret of ours: theirs was deleted for good,
 * another deployment has the same owner, or somebody broke the marker. Nobody rotates or retires them, because
 * nothing tells these cases apart: a marker's `home` is a hash, and a policy that was copied to another Region
 * makes tokens that look the same.
 */
export const workingStrays = (
  policy: Pick<Policy, 'owner'>,
  { foreign, secrets, at }: Pick<Observation, 'foreign' | 'secrets' | 'at'>,
): readonly Token[] => {
  // Not what AWSPREVIOUS alone has: its turn to be retired never comes.
  const used = inUse(secrets);
  return [...foreign.values()].filter((token) => {
    const marker = parseMarker(token.description)?.marker;
    // A new secret is listed up to five minutes late, and one that is being adopted has no tag yet.
    const isNew = at - token.createdAt < HOUR_MS || marker?.proving !== undefined;
    const isOurs = bearsOwner(token.description, policy.owner);
    return isOurs && works(token, at) && !isNew && !used.has(token.id);
  });
};

/** Which secret is known to have a token's string, and how that ends. */
function sharedWith(home: string, secrets: Observation['secrets']): string {
  const other = [...secrets.values()].find(({ secret }) => homeOf(secret.arn) === home);
  return other
    ? `${other.secret.name} was seen to have its string; give that another value, or take the tag keyturn:owner off it if no consumer reads it`
    : 'another secret of ours was seen to have its string, and is not listed: give the secret of every entry its tag keyturn:owner again';
}

/** What keeps a token that should have been retired long ago. */
function keptBy(
  owned: OwnedToken,
  seen: ObservedSecret,
  { secrets }: Pick<Observation, 'secrets'>,
): string {
  const { shared } = owned.marker;
  if (shared !== undefined) return sharedWith(shared, secrets);
  if (isUnknown(seen, 'AWSCURRENT') || isUnknown(seen, 'AWSPREVIOUS')) {
    return 'nobody knows which token consumers have';
  }
  if (seen.unreadable !== undefined) return 'it cannot be read when its versions were made';
  return 'more often than the grace period somebody saves the secret by hand, or a rotation by Secrets Manager fails; or it has no other token that works';
}

/** Only its secret's current string can be proven to be a token's, by its entry, and this one's time to be that is over. */
function neverProven(token: Token, now: number): string {
  const order = `keyturn revoke --token-id ${token.id} --delete`;
  const what =
    'it was adopted, and its string was never seen to be its own, so no schedule ends it';
  return works(token, now)
    ? `${what}, and somebody else may use it; if nobody does: ${order}`
    : `${what}; it cannot be used as it is (expired, or without permissions), and this removes it: ${order}`;
}

/** Nobody can prove any more what AWSCURRENT has of an entry that is gone, and that is to be retired. */
const isLeftBehind = ({ secret: { name } }: ObservedSecret, policy: Policy): boolean =>
  entryOf(policy, name) === undefined && policy.onRemoval === 'retire';

/** Tokens that are neither current nor pending, and older than a whole life with its retirement. */
function lingering(seen: ObservedSecret, policy: Policy, observation: Observation): Finding[] {
  const now = observation.at;
  const { name } = seen.secret;
  const { rotateEvery, gracePeriod, quarantine } = entryOf(policy, name) ?? policy.defaults;
  const longest = rotateEvery + 4 * gracePeriod + quarantine;
  if (holdOf(seen.secret) || seen.secret.deletedAt !== undefined) return [];
  return seen.tokens.flatMap((owned): Finding[] => {
    const { token } = owned;
    const report = (message: string) => [
      { kind: 'Lingering', secret: name, tokenId: token.id, message },
    ];
    const { adopted, proven, shared } = owned.marker;
    const isUnproven = adopted !== undefined && proven === undefined;
    const isLeft = isUnproven && isLeftBehind(seen, policy);
    const isUsed = isSame(ownedCurrent(seen), owned) || isSame(ownedPending(seen), owned);
    if (isUsed && !isLeft) return [];
    const isTold = isUnproven && !isUnknown(seen, 'AWSCURRENT');
    if (isTold && shared === undefined) return report(neverProven(token, now));
    if (!isTold && now - token.createdAt <= longest) return [];
    return report(`it should have been retired; ${keptBy(owned, seen, observation)}`);
  });
}

/**
 * What a person should know about the cluster's tokens and our secrets: held, unlisted, expired and
 * foreign ones, those of them that end soon, tokens without an expiry, permissions on every database and on databases that do not exist.
 */
export function takeInventory(policy: Policy, observation: Observation): Finding[] {
  const { secrets, databases, at } = observation;
  const foreign = [...observation.foreign.values()];
  const observed = [...secrets.values()];
  const owned = observed.flatMap(({ tokens }) => tokens.map(({ token }) => token));
  const all = [...owned, ...foreign];
  const granting = (test: (resource: string) => boolean) =>
    all.filter(({ permissions }) => permissions.some(({ resource }) => test(resource)));
  const unknown = granting((name) => name !== ANY && databases?.has(name) === false);
  return [
    ...observed.flatMap((seen) => [
      ...secretFindings(seen, policy, at),
      ...lingering(seen, policy, observation),
    ]),
    ...unreadableSecrets(observation, policy),
    {
      kind: 'Owned',
      message: `${counted(owned.length, 'token')} in ${counted(observed.length, 'secret')}`,
    },
    ...summary('Foreign', foreign, 'of others'),
    ...summary(
      'Stray',
      foreign.filter(({ description }) => bearsOwner(description, policy.owner)),
      'with our owner in the marker and no secret of ours (deleted, copied, or of another Region)',
    ),
    ...summary(
      'BrokenMarker',
      foreign.filter(
        ({ description }) => bearsOwner(description, policy.owner) && !parseMarker(description),
      ),
      'with our owner and a marker that cannot be read; restore the end of the description, or end them (keyturn revoke --token-id)',
    ),
    ...summary(
      'WorkingStray',
      workingStrays(policy, observation),
      'with our owner that works and is in no secret of ours; nobody rotates or retires it (keyturn revoke --token-id)',
    ),
    ...summary(
      'Immortal',
      all.filter(({ expiresAt }) => expiresAt === undefined),
      'without an expiry',
    ),
    ...summary(
      'ForeignExpired',
      foreign.filter((token) => isExpired(token, at)),
      'of others, expired',
    ),
    ...expiringOf(observation, policy),
    ...summary(
      'Wildcard',
      granting((name) => name === ANY),
      'with a permission on every database',
    ),
    ...(databases
      ? []
      : [{ kind: 'DatabasesUnknown', message: 'the databases could not be listed' }]),
    ...summary('UnknownDatabase', unknown, 'with a permission on a database that does not exist'),
  ];
}
