import type { Token } from '../management-api/token.ts';
import { entryOf } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { RotateRequest } from '../run/request.ts';
import type { RunTools } from '../run/tools.ts';
import { type Hold, holdOf, holdOrigin, LIFTED_TAG } from '../secrets-manager/hold.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { formatInstant } from '../time.ts';
import { isEndedByOrder } from '../tokens/ended-tag.ts';
import { homeOf, parseMarker } from '../tokens/marker.ts';
import type { OwnedToken } from '../tokens/observation.ts';
import { observe } from '../tokens/observe.ts';
import { isExpired, works } from '../tokens/state.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';
import { refuseUnknownNames } from './plan/plan-rotation.ts';

type HistoryRequest = RotateRequest & { readonly history: NonNullable<RotateRequest['history']> };

/** What a marker says of when something was done. */
const MARKS = [
  ...['armed', 'promoted', 'superseded', 'fenced', 'quarantined', 'frozen'],
  ...['adopted', 'proven'],
] as const satisfies readonly (keyof OwnedToken['marker'])[];

/** A token of ours that was not deleted before the time that was asked for, or whose string AWSCURRENT has. Instants are ISO 8601, UTC, in whole seconds. */
interface PastToken {
  readonly tokenId: string;
  readonly secret: string;
  /** Of its marker, where no secret of ours is its home: deleted, made anew, or of another Region. */
  readonly home?: string;
  readonly createdAt: string;
  /** Absent: never. */
  readonly expiresAt?: string;
  /** Absent: the cluster does not say that it was deleted. */
  readonly revokedAt?: string;
  /** An order ended it: a tag of its secret says so. */
  readonly endedByOrder?: true;
  /** It has permissions, and has not ended. */
  readonly works?: true;
  /** By the field of the marker. */
  readonly marks: Readonly<Partial<Record<(typeof MARKS)[number], string>>>;
  /** The token in whose place an order put it. */
  readonly replaces?: string;
}

interface PastVersion {
  readonly version: string;
  readonly createdAt: string;
  readonly labels: readonly string[];
  /** Whose string it has, as far as its id or a marker says so. */
  readonly tokenId?: string;
  /** `rotation`: Secrets Manager's own, through our function. */
  readonly putBy: 'keyturn' | 'rotation' | 'others';
}

interface PastSecret {
  readonly secret: string;
  /** Its entry in the policy. Absent: it has none. */
  readonly token?: string;
  /** Those that are still there, and were made in the time that was asked for; also older ones that have a label, if others put them, or if it is AWSCURRENT and no token is told of that has their string. */
  readonly versions: readonly PastVersion[];
  /** Absent: it is not on hold. Without the rest, its traces do not say it. */
  readonly hold?: {
    readonly hold: Hold;
    readonly at?: string;
    readonly by?: string;
    readonly reason?: string;
  };
  /** When an order lifted its last hold for deletion. */
  readonly liftedAt?: string;
}

/** What both systems still say of the past. */
export interface HistoryReport {
  readonly history: {
    readonly since: string;
    readonly tokens: readonly PastToken[];
    /** Ids of the tokens without a marker of ours that have not ended: one of ours may be among them that lost it. */
    readonly others: readonly string[];
    readonly secrets: readonly PastSecret[];
    /** Secrets whose versions could not be listed, and why. */
    readonly unseen: readonly { readonly secret: string; readonly why: string }[];
  };
}

function pastToken(
  { token, marker }: OwnedToken,
  secret: Secret | undefined,
  at: number,
): PastToken {
  const { id, createdAt, expiresAt, revokedAt } = token;
  const isHome = secret !== undefined && homeOf(secret.arn) === marker.home;
  const marks = MARKS.flatMap((name) => {
    const at = marker[name];
    return at === undefined ? [] : [[name, formatInstant(at)] as const];
  });
  return {
    tokenId: id,
    secret: marker.secret,
    ...(!isHome && { home: marker.home }),
    createdAt: formatInstant(createdAt),
    ...(expiresAt !== undefined && { expiresAt: formatInstant(expiresAt) }),
    ...(revokedAt !== undefined && { revokedAt: formatInstant(revokedAt) }),
    ...(secret && isEndedByOrder(id, secret) && { endedByOrder: true }),
    ...(works(token, at) && { works: true }),
    marks: Object.fromEntries(marks),
    ...(marker.replaces !== undefined && { replaces: marker.replaces }),
  };
}

/** The id of our own versions names their token. A bare id is nobody's sign: the console draws such ids, too. */
function whoPut(
  version: string,
  tokens: readonly OwnedToken[],
): Pick<PastVersion, 'tokenId' | 'putBy'> {
  const named = tokenNamedBy(version);
  if (named?.certain) return { tokenId: named.tokenId, putBy: 'keyturn' };
  const holder = tokens.find(({ versions }) => versions.includes(version));
  if (!holder) return { putBy: 'others' };
  const { token, marker } = holder;
  const putBy =
    marker.minted === version ? 'rotation' : token.id === version ? 'keyturn' : 'others';
  return { tokenId: token.id, putBy };
}

const holdIn = (secret: Secret): Pick<PastSecret, 'hold'> => {
  const hold = holdOf(secret);
  if (!hold) return {};
  const origin = holdOrigin(secret);
  if (!origin) return { hold: { hold } };
  const { at, by, reason } = origin;
  return { hold: { hold, at: formatInstant(at), ...(by !== undefined && { by }), reason } };
};

function pastSecret(
  secret: Secret,
  times: ReadonlyMap<string, number>,
  tokens: readonly OwnedToken[],
  { policy, since }: { readonly policy: RunTools['policy']; readonly since: number },
): PastSecret {
  const { name, labels, tags } = secret;
  const token = entryOf(policy, name)?.name;
  const isListed = (id: string) => tokens.some((each) => each.token.id === id);
  // Of ours, the marker of its token tells more than when it was stored.
  const saved = Object.values(labels).filter((version) => {
    const named = tokenNamedBy(version);
    return !named?.certain || (version === labels.AWSCURRENT && !isListed(named.tokenId));
  });
  const versions = [...times]
    .filter(([version, createdAt]) => createdAt >= since || saved.includes(version))
    .sort(([, a], [, b]) => a - b)
    .map(([version, createdAt]) => ({
      version,
      createdAt: formatInstant(createdAt),
      labels: Object.keys(labels).filter((label) => labels[label] === version),
      ...whoPut(version, tokens),
    }));
  const liftedAt = tags[LIFTED_TAG];
  return {
    secret: name,
    ...(token !== undefined && { token }),
    versions,
    ...holdIn(secret),
    ...(liftedAt !== undefined && { liftedAt }),
  };
}

/** Tokens of the entries, and of others if all are asked for, whose secret is not listed as ours: deleted, say, made anew, or without our tag. */
function withoutSecret(
  tokens: readonly Token[],
  { owner, tokens: entries }: RunTools['policy'],
  listed: readonly Secret[],
  names: readonly string[] | undefined,
): readonly OwnedToken[] {
  const homes = new Set(listed.map(({ arn }) => homeOf(arn)));
  const wanted = entries.filter(({ name }) => names?.includes(name));
  return tokens.flatMap((token) => {
    const parsed = parseMarker(token.description);
    if (parsed?.marker.owner !== owner || homes.has(parsed.marker.home)) return [];
    // A copied marker makes no token ours.
    if ((parsed.marker.id ?? token.id) !== token.id) return [];
    const isWanted =
      names === undefined || wanted.some(({ secret }) => secret === parsed.marker.secret);
    return isWanted ? [{ token, ...parsed, versions: [] }] : [];
  });
}

/** Whether it was there then: one that was deleted before is told by nothing but older logs, unless AWSCURRENT has it still. */
const wasThere = ({ token: { revokedAt }, versions }: OwnedToken, since: number, current = '') =>
  revokedAt === undefined || revokedAt >= since || versions.includes(current);

/**
 * What the cluster and Secrets Manager still say of what was done since an instant. Only reads.
 * @throws RequestError if a name is not in the policy
 * @throws ObservationError if what came back cannot be trusted, as every job does
 */
export async function runHistory(
  { tokens: names, history: { since } }: HistoryRequest,
  tools: RunTools,
): Promise<HistoryReport> {
  const { policy, secrets } = tools;
  refuseUnknownNames(policy, names);
  const observation = await observe(tools, policy, {});
  const { at, listed: tokens = [], revoked, foreign } = observation;
  const listed = [...observation.secrets.values()].map((each) => each.secret);
  const meant = listed.filter(
    ({ name }) => names?.includes(entryOf(policy, name)?.name ?? '') ?? true,
  );
  const ours = meant.flatMap(({ name }) => [
    ...(observation.secrets.get(name)?.tokens ?? []),
    ...(revoked?.get(name) ?? []),
  ]);
  const strays = withoutSecret(tokens, policy, listed, names);
  const owned = [...ours, ...strays].filter((each) =>
    wasThere(each, since, observation.secrets.get(each.marker.secret)?.secret.labels.AWSCURRENT),
  );
  const ofSecret = Map.groupBy(owned, ({ marker }) => marker.secret);
  const unseen: { readonly secret: string; readonly why: string }[] = [];
  const asked = meant.map(async (secret) => {
    const times = await secrets.versionTimes(secret.name).catch((error: unknown) => {
      unseen.push({ secret: secret.name, why: messageOf(error) });
      return new Map<string, number>();
    });
    return pastSecret(secret, times, ofSecret.get(secret.name) ?? [], { policy, since });
  });
  const past = await Promise.all(asked);
  for (const secret of new Set(strays.map(({ marker }) => marker.secret))) {
    // Of one that was made anew, what is left is listed.
    if (observation.secrets.has(secret)) continue;
    const why = 'it is not listed as ours: deleted, without our tag, or in another Region';
    unseen.push({ secret, why });
  }
  const pastTokens = owned.map((each) =>
    pastToken(each, observation.secrets.get(each.marker.secret)?.secret, at),
  );
  const strayIds = new Set(strays.map(({ token }) => token.id));
  const others = [...foreign.values()].filter(
    (token) => !isExpired(token, at) && !strayIds.has(token.id),
  );
  return {
    history: {
      since: formatInstant(since),
      tokens: pastTokens,
      others: others.map(({ id }) => id),
      secrets: past,
      unseen,
    },
  };
}
