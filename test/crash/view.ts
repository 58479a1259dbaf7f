import { createHash } from 'node:crypto';
import type { AwsState, Secret, SecretVersion } from '../../sandbox/aws/state.ts';
import type { ClusterState, StoredToken } from '../../sandbox/cluster/state.ts';
import { holderOf } from '../world/holder.ts';
import { type Marker, readMarker } from '../world/marker.ts';
import { MANAGEMENT_SECRET } from '../world/systems.ts';

export interface SeenToken
  extends Pick<
    StoredToken,
    'id' | 'description' | 'permissions' | 'createdAt' | 'expiresAt' | 'revokedAt'
  > {
  /** Without fields where there is none. */
  readonly marker: Marker;
}

export interface SeenVersion extends SecretVersion {
  /** Id of the token whose string it holds. */
  readonly token: string | undefined;
}

export interface SeenSecret {
  readonly name: string;
  /** What markers say of its ARN. */
  readonly home: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Version ids by staging label. */
  readonly labels: Readonly<Record<string, string>>;
  /** Ids of the tokens whose strings those versions hold; absent: no token's. */
  readonly holders: Readonly<Record<string, string>>;
  readonly versions: readonly SeenVersion[];
  /** It is scheduled for deletion. */
  readonly isDeleted: boolean;
}

/** All tokens, some of which died long ago. */
export interface Sorted {
  readonly others: readonly StoredToken[];
  readonly longDead: ReadonlyMap<string, StoredToken>;
}

/** What both servers truly hold at one instant, whatever they would answer. */
export interface View {
  readonly at: number;
  readonly tokens: ReadonlyMap<string, SeenToken>;
  readonly secrets: ReadonlyMap<string, SeenSecret>;
}

/** A long life reads the same descriptions after every call. */
const markers = new Map<string, Marker>();

function markerOf(description: string): Marker {
  const known = markers.get(description);
  if (known) return known;
  const marker = readMarker(description)?.marker ?? {};
  markers.set(description, marker);
  return marker;
}

/** What was made of a state's objects. Most of them are the same after the next call. */
const seenTokens = new WeakMap<StoredToken, SeenToken>();
const seenSecrets = new WeakMap<Secret, SeenSecret>();

/** The cluster changes its tokens in place. */
function seenToken(token: StoredToken): SeenToken {
  const known = seenTokens.get(token);
  const { description, permissions, revokedAt } = token;
  const isSame =
    known?.description === description &&
    known.permissions === permissions &&
    known.revokedAt === revokedAt;
  if (known && isSame) return known;
  const seen = { ...token, marker: markerOf(description) };
  seenTokens.set(token, seen);
  return seen;
}

/** A secret is another object after each change. */
function seenSecret(secret: Secret, { tokens }: ClusterState): SeenSecret {
  const known = seenSecrets.get(secret);
  if (known) return known;
  const { name, arn, tags, versions, deletedAt } = secret;
  const all = Object.values(versions).map(
    (version): SeenVersion => ({
      ...version,
      token: holderOf(version.secretString, tokens)?.id,
    }),
  );
  const isDeleted = deletedAt !== undefined;
  const seen = { name, home: homeOf(arn), tags, ...labelled(all), versions: all, isDeleted };
  seenSecrets.set(secret, seen);
  return seen;
}

/** @param sorted of a long life: tokens that died long ago are seen where a label is on their string */
export function viewOf(
  cluster: ClusterState,
  aws: AwsState,
  at: number,
  sorted: Sorted = { others: cluster.tokens, longDead: new Map() },
): View {
  const secrets = Object.values(aws.secrets).filter(
    ({ name, deletionAt = Infinity }) => name !== MANAGEMENT_SECRET && at < deletionAt,
  );
  const seen = new Map(secrets.map((secret) => [secret.name, seenSecret(secret, cluster)]));
  const tokens = new Map(sorted.others.map((token) => [token.id, seenToken(token)]));
  for (const { holders } of seen.values()) {
    for (const id of Object.values(holders)) {
      const token = sorted.longDead.get(id);
      if (token) tokens.set(id, seenToken(token));
    }
  }
  return { at, tokens, secrets: seen };
}

/** What a request may have changed the state of. */
export interface Touched {
  readonly tokens: readonly SeenToken[];
  readonly secrets: readonly SeenSecret[];
}

export const everything = ({ tokens, secrets }: View): Touched => ({
  tokens: [...tokens.values()],
  secrets: [...secrets.values()],
});

/**
 * What is another than before: tokens, with those of secrets that are others, or that nobody may write, which may expire at any time;
 * and secrets, with those whose tokens are others. A token that was deleted before stays as it is.
 */
export function touchedBetween(before: View, after: View): Touched {
  const secrets = new Set<SeenSecret>();
  const names = new Set<string | undefined>();
  const held = new Set<string | undefined>();
  for (const secret of after.secrets.values()) {
    const isSame = before.secrets.get(secret.name) === secret;
    if (!isSame) secrets.add(secret);
    if (isSame && !isOutOfReach(secret)) continue;
    names.add(secret.name);
    for (const { token } of secret.versions) held.add(token);
  }
  for (const { name } of before.secrets.values()) if (!after.secrets.has(name)) names.add(name);
  const tokens = [...after.tokens.values()].filter((token) => {
    const former = before.tokens.get(token.id);
    if (former !== token) return true;
    return isAlive(token) && (names.has(token.marker.secret) || held.has(token.id));
  });
  const ids = new Set<string | undefined>(tokens.map(({ id }) => id));
  for (const secret of after.secrets.values())
    if (ids.has(secret.holders.AWSCURRENT)) secrets.add(secret);
  return { tokens, secrets: [...secrets] };
}

function labelled(versions: readonly SeenVersion[]): Pick<SeenSecret, 'labels' | 'holders'> {
  const all = versions.flatMap(({ id, token, stages }) =>
    stages.map((stage) => ({ stage, id, token })),
  );
  return {
    labels: Object.fromEntries(all.map(({ stage, id }) => [stage, id])),
    holders: Object.fromEntries(all.flatMap(({ stage, token }) => (token ? [[stage, token]] : []))),
  };
}

const homeOf = (arn: string) => createHash('sha256').update(arn).digest('hex').slice(0, 8);

/** The secret that a token's marker names: the very one, not another that bears its name since. */
export function secretOf({ marker }: SeenToken, { secrets }: View): SeenSecret | undefined {
  const secret = secrets.get(marker.secret ?? '');
  return secret?.home === marker.home ? secret : undefined;
}

/** Another secret's token, in one without our tag: nobody reads that, so what a person pasted there is not seen. */
export const isPastedUnseen = (token: SeenToken | undefined, { name, tags }: SeenSecret) =>
  tags['keyturn:owner'] === undefined && ![undefined, name].includes(token?.marker.secret);

export const isExpired = ({ expiresAt }: SeenToken, now: number) =>
  expiresAt !== undefined && expiresAt <= now;

export const isAlive = ({ revokedAt }: SeenToken) => revokedAt === undefined;

export const isArmed = ({ permissions }: SeenToken) => permissions.length > 0;

export const wasEverArmed = ({ marker }: SeenToken) => marker.grants !== undefined;

/** By its tag or by its label; of two different ones the harsher counts. */
export function holdOf(secret: SeenSecret | undefined): 'frozen' | 'deleted' | undefined {
  const tag = secret?.tags['keyturn:hold'];
  const isDeleted = tag?.startsWith('deleted') || secret?.labels['keyturn-hold-delete'];
  if (isDeleted) return 'deleted';
  return tag !== undefined || secret?.labels['keyturn-hold-freeze'] ? 'frozen' : undefined;
}

export const isOnHold = (secret: SeenSecret | undefined) => holdOf(secret) !== undefined;

/** Nobody may write it: a person put it on hold, scheduled its deletion, or took our tag off. */
export const isOutOfReach = (secret: SeenSecret) =>
  isOnHold(secret) || secret.isDeleted || secret.tags['keyturn:owner'] === undefined;

/** The version that waits: AWSPENDING and no other label, its token neither superseded nor quarantined. */
export function pendingOf(
  { labels, holders }: SeenSecret,
  tokens: View['tokens'],
): string | undefined {
  const { AWSPENDING: pending, AWSCURRENT, AWSPREVIOUS } = labels;
  if (pending === undefined || pending === AWSCURRENT || pending === AWSPREVIOUS) return undefined;
  const { superseded, quarantined } = tokens.get(holders.AWSPENDING ?? '')?.marker ?? {};
  return superseded === undefined && quarantined === undefined ? pending : undefined;
}

/** The tokens that consumers have, or will have next: AWSCURRENT's, and the pending version's. */
export function inUse(secret: SeenSecret, tokens: View['tokens']): (string | undefined)[] {
  const { AWSCURRENT, AWSPENDING } = secret.holders;
  return [AWSCURRENT, pendingOf(secret, tokens) && AWSPENDING];
}
