import type { Token } from '../../management-api/token.ts';
import { OWNER_NAME } from '../../policy/names.ts';
import type { Policy } from '../../policy/policy.ts';
import { limitedPlan } from '../../run/limits.ts';
import type { Finding, Plan } from '../../run/plan.ts';
import { holdOf, untilReleased } from '../../secrets-manager/hold.ts';
import {
  CLUSTER_TAG,
  OWNER_TAG,
  otherClusterOf,
  type Secret,
} from '../../secrets-manager/secret.ts';
import { homeOf, isMarked, type Marker, parseMarker } from '../../tokens/marker.ts';
import { tokenNamedBy } from '../../tokens/version-id.ts';

/** Makes tokens ours again that versions of a secret hold, and then the secret, where its tag names another owner or none. */
export interface TakeOver {
  readonly kind: 'take-over';
  readonly reason: 'TakenOver';
  /** The entry's name in the policy. */
  readonly token: string;
  /** Name of the secret. */
  readonly secret: string;
  /** Tokens whose markers are rewritten, in this order; AWSCURRENT's is the last. */
  readonly tokenIds: readonly string[];
  /** What the secret is tagged with after that. Absent: its tag names us already. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** What a run has read of the secret of one entry, right before it plans. */
export interface SecretSeen {
  /** Undefined: no secret has the name. */
  readonly secret: Secret | undefined;
  /** By version id, labelled or not: fingerprints of all strings in its value. Undefined: it could not be read. */
  readonly strings: ReadonlyMap<string, ReadonlySet<string> | undefined>;
  /** Every live token of the cluster, as far as it is listed, and those that versions name. */
  readonly tokens: readonly Token[];
  /** Why nothing may be done to it: who may read it, or that it cannot be read. */
  readonly objection?: string;
}

/** What a person says. */
interface Asked {
  /** Names of tokens in the policy. */
  readonly tokens: readonly string[];
  /** The owner whose tokens become ours, beside ours. */
  readonly from?: string | undefined;
}

type Note = Pick<Finding, 'kind' | 'message' | 'tokenId'>;

/** A secret, or a token that it names, is not taken over, and the sentence says why. */
export const CANNOT_TAKE_OVER = 'CannotTakeOver';

/** A token that bears this secret's name, and that nothing shows to be its own. */
const LEFT_TO_OTHERS = 'LeftToOthers';

const cannot = (message: string, tokenId?: string): Note => ({
  kind: CANNOT_TAKE_OVER,
  message,
  ...(tokenId !== undefined && { tokenId }),
});

/** A token with the marker of this secret and of an owner that may be meant. */
interface Marked {
  readonly token: Token;
  readonly marker: Marker;
}

const markers = new WeakMap<Token, { readonly marker?: Marker | undefined }>();

/** Parsed once, though every entry looks at every token. */
function markerOf(token: Token): Marker | undefined {
  const known = markers.get(token) ?? { marker: parseMarker(token.description)?.marker };
  markers.set(token, known);
  return known.marker;
}

interface Case extends SecretSeen {
  readonly secret: Secret;
  /** The entry's name. */
  readonly name: string;
  readonly owner: string;
  readonly from: string | undefined;
}

/** How a deployment that has something is named, and the command that takes it over, once it is stopped. */
function ofDeployment(owner: string, entry: string): string {
  const named = `it belongs to the deployment ${JSON.stringify(owner)}`;
  // Whoever may tag a secret, or write a description, may write anything there.
  return OWNER_NAME.test(owner)
    ? `${named}; if that is paused or destroyed: keyturn takeover ${entry} --from ${owner} --confirm`
    : `${named}, which is no owner's name`;
}

const isNamedIn = ({ strings }: SecretSeen, { id }: Token): string | undefined =>
  [...strings.keys()].find((version) => tokenNamedBy(version)?.tokenId === id);

/** Whether a version has this string. Anybody may put a version under the id of any token, but not with its string. */
const hasString = ({ strings }: SecretSeen, fp: string): boolean =>
  [...strings.values()].some((found) => found?.has(fp));

/** What shows that a token, and all others of its `home`, are this secret's. */
const isProvenBy = (seen: Case, { marker }: Pick<Marked, 'marker'>): boolean =>
  marker.fp !== undefined && hasString(seen, marker.fp);

/** One that was never armed has no fingerprint, and can do nothing: the id of a version is enough, but shows nothing of others. */
const isUnarmed = (seen: Case, { token, marker }: Marked): boolean =>
  marker.fp === undefined && isNamedIn(seen, token) !== undefined;

/** Whose marker it is, in words; undefined: this secret's, of an owner that is meant. */
function otherMarker(token: Token, { name, secret, owner, from }: Case): string | undefined {
  const parsed = parseMarker(token.description);
  if (!parsed) {
    return isMarked(token.description)
      ? 'its marker cannot be read; restore the end of its description'
      : `it has no marker, so nothing says that it was ever Keyturn's; if consumers read it, put adopt with its id into the entry`;
  }
  const { marker } = parsed;
  if (marker.secret !== secret.name) return `it is a token of the secret ${marker.secret}`;
  if ((marker.id ?? token.id) !== token.id) return `its marker was copied from token ${marker.id}`;
  if (marker.owner === owner || marker.owner === from) return undefined;
  return ofDeployment(marker.owner, name);
}

/** Why a token that a version names is left to others. */
function mismatch(seen: Case, each: Marked): string | undefined {
  const version = isNamedIn(seen, each.token);
  if (version === undefined || isProvenBy(seen, each) || isUnarmed(seen, each)) return undefined;
  return seen.strings.get(version) === undefined
    ? `the value of version ${version} cannot be read, so nobody knows whether it has this token's string`
    : `no version of ${seen.secret.name} has its string, though the id of version ${version} names it: somebody else may have put that`;
}

interface Sorted {
  /** Every token of this secret, ours or to be ours. */
  readonly its: readonly Marked[];
  readonly findings: readonly Note[];
}

/** The tokens that have anything to do with a secret: by their marker, by the id of a version, or by a string in it. */
function candidates({ tokens, strings, secret }: Case): readonly Token[] {
  const named = new Set([...strings.keys()].map((version) => tokenNamedBy(version)?.tokenId));
  const found = new Set([...strings.values()].flatMap((each) => [...(each ?? [])]));
  return tokens.filter((token) => {
    const marker = markerOf(token);
    const isFound = marker?.fp !== undefined && found.has(marker.fp);
    return marker?.secret === secret.name || named.has(token.id) || isFound;
  });
}

/**
 * Which tokens are this secret's. A token whose version is gone is known by the `home` in its marker: the one that is
 * this secret's, or the one of a token that is proven. What a former secret's deployment minted since is left to it, so
 * no such token is younger than all that are proven.
 */
function sortTokens(seen: Case): Sorted {
  const findings: Note[] = [];
  const marked = candidates(seen).flatMap((token): Marked[] => {
    const why = otherMarker(token, seen);
    const marker = markerOf(token);
    if (why === undefined && marker) return [{ token, marker }];
    const isHere = marker !== undefined && isProvenBy(seen, { marker });
    const isMeant = isHere || isNamedIn(seen, token) !== undefined || isOfHome(seen, marker);
    if (why !== undefined && isMeant) findings.push(cannot(why, token.id));
    return [];
  });
  const youngest = new Map<string, number>();
  for (const each of marked.filter((each) => isProvenBy(seen, each))) {
    const { home } = each.marker;
    youngest.set(home, Math.max(youngest.get(home) ?? 0, each.token.createdAt));
  }
  const its = marked.filter((each) => {
    const { token, marker } = each;
    if (isOfHome(seen, marker)) return true;
    const why = mismatch(seen, each);
    const until = youngest.get(marker.home);
    const isVouched = until !== undefined && (token.createdAt <= until || isUnarmed(seen, each));
    const isIts = why === undefined && isVouched;
    if (why !== undefined) findings.push(cannot(why, token.id));
    else if (!isIts) findings.push(leftToOthers(seen, token));
    return isIts;
  });
  return { its, findings };
}

function leftToOthers({ strings }: Case, { id: tokenId }: Token): Note {
  const isRead = [...strings.values()].every((each) => each !== undefined);
  const message = isRead
    ? `its marker names this secret under another ARN, and nothing in this secret shows that it was ever its own, so it is left to whoever uses it; if nobody does, end it: keyturn revoke --token-id ${tokenId}`
    : 'its marker names this secret under another ARN, and not every version of this secret could be read, so nobody knows whether it has its string';
  return { kind: LEFT_TO_OTHERS, message, tokenId };
}

/** Why nobody knows whether consumers have what is ours. */
function unknownCurrent(seen: Case, its: readonly Marked[]): Note | undefined {
  const version = seen.secret.labels.AWSCURRENT;
  if (version === undefined || its.some((each) => isCurrent(seen, each))) return undefined;
  return cannot(
    seen.strings.get(version) === undefined
      ? 'the value under AWSCURRENT cannot be read, so nobody knows whose string consumers have; let the function read it (the key of the secret, its policy), and repeat the command'
      : 'no token that is ours, or becomes ours, has the string under AWSCURRENT; if consumers use it, put adopt with the id of its token into the entry, or replace it: keyturn rotate NAME',
  );
}

const isOfHome = ({ secret }: Case, marker: Marker | undefined): boolean =>
  marker?.secret === secret.name && marker.home === homeOf(secret.arn);

const isOurs = (seen: Case, { marker }: Marked): boolean =>
  marker.owner === seen.owner && isOfHome(seen, marker);

const LABELS = ['AWSPREVIOUS', 'AWSPENDING', 'AWSCURRENT'];

/** The label whose version has the token's string: -1, or its place in `LABELS`. */
const rankOf = ({ secret, strings }: Case, { token, marker }: Marked): number =>
  LABELS.findLastIndex((label) => {
    const version = secret.labels[label] ?? '';
    return marker.fp === undefined
      ? tokenNamedBy(version)?.tokenId === token.id
      : (strings.get(version)?.has(marker.fp) ?? false);
  });

/** What forbids everything. */
function objectionTo(seen: Case, its: readonly Marked[], clusterUrl: string): string | undefined {
  const { secret, name, owner, from, objection } = seen;
  const tagged = secret.tags[OWNER_TAG];
  if (secret.replica) {
    return 'it is a replica: promote it first (aws secretsmanager stop-replication-to-replica), or work in its primary Region';
  }
  if (secret.deletedAt !== undefined) {
    return `it is scheduled for deletion; to keep it: aws secretsmanager restore-secret --secret-id ${secret.name}`;
  }
  if (tagged !== undefined && tagged !== owner && tagged !== from) {
    return ofDeployment(tagged, name);
  }
  if (tagged === undefined && its.length === 0 && objection === undefined) {
    return 'it has no owner, and no version of it has the string of a token whose marker names it; if consumers use what it has, put adopt with that token’s id into the entry';
  }
  const other = otherClusterOf(secret, clusterUrl);
  if (other !== undefined && !its.some((each) => isCurrent(seen, each))) {
    return `its tokens are of the cluster ${other}, and this one does not have the current one`;
  }
  return objection;
}

const isCurrent = (seen: Case, marked: Marked) => LABELS[rankOf(seen, marked)] === 'AWSCURRENT';

/** Without the current token nobody knows of which cluster the secret is, so what its tag says of that stays. */
const tagsFor = (seen: Case, its: readonly Marked[], clusterUrl: string) => ({
  [OWNER_TAG]: seen.owner,
  ...(its.some((each) => isCurrent(seen, each)) && { [CLUSTER_TAG]: clusterUrl }),
});

function decide(
  seen: Case,
  { cluster }: Pick<Policy, 'cluster'>,
): { readonly action?: TakeOver; readonly findings: readonly Note[] } {
  const { secret, name, owner } = seen;
  const sorted = sortTokens(seen);
  const { its } = sorted;
  const why = objectionTo(seen, its, cluster.url);
  if (why !== undefined) {
    return { findings: [cannot(`cannot be taken over: ${why}`), ...sorted.findings] };
  }
  const unknown = unknownCurrent(seen, its);
  const findings = unknown ? [...sorted.findings, unknown] : sorted.findings;
  // A run that dies leaves those to the last by which a repetition knows the others, and AWSCURRENT's as it was.
  const orderOf = (each: Marked) =>
    (isProvenBy(seen, each) ? 1 + LABELS.length : 0) + rankOf(seen, each);
  const taken = its
    .filter((each) => !isOurs(seen, each))
    .sort((a, b) => orderOf(a) - orderOf(b) || (a.token.id < b.token.id ? -1 : 1));
  const isTagged = secret.tags[OWNER_TAG] === owner;
  if (taken.length === 0 && isTagged) {
    const note = { kind: 'NothingToTakeOver', message: 'the secret and its tokens are ours' };
    const isWhole = findings.every(({ kind }) => kind === LEFT_TO_OTHERS);
    return { findings: isWhole ? [note, ...findings] : findings };
  }
  const hold = holdOf(secret);
  const held = hold && {
    kind: 'Held',
    message: `${untilReleased(hold)}, which goes for what is taken over, too`,
  };
  return {
    action: {
      kind: 'take-over',
      reason: 'TakenOver',
      token: name,
      secret: secret.name,
      tokenIds: taken.map(({ token }) => token.id),
      ...(!isTagged && { tags: tagsFor(seen, its, cluster.url) }),
    },
    findings: held ? [held, ...findings] : findings,
  };
}

/** An entry without a secret: nothing was ever made of it, or somebody has yet to restore it. */
function withoutSecret({ tokens }: SecretSeen, name: string, owners: ReadonlySet<string>): Note {
  const its = tokens.filter((token) => {
    const marker = markerOf(token);
    return marker?.secret === name && owners.has(marker.owner);
  });
  return its.length === 0
    ? {
        kind: 'NothingToTakeOver',
        message: 'no secret has its name, and no token names it: rotate makes both',
      }
    : cannot(
        `cannot be taken over: no secret has its name, though ${its.length === 1 ? 'a token names' : `${its.length} tokens name`} it: make it with the value that consumers have, or let rotate make another and end what is left (keyturn revoke --token-id ${its[0]?.id})`,
      );
}

/** Tokens of the former owner that no entry takes over: once its deployment is destroyed, nobody retires them. */
function unclaimed(policy: Policy, from: string | undefined, tokens: readonly Token[]): Finding[] {
  if (from === undefined || from === policy.owner) return [];
  const secrets = new Set(policy.tokens.map(({ secret }) => secret));
  return tokens.flatMap((token): Finding[] => {
    const { id: tokenId } = token;
    const marker = markerOf(token);
    if (marker?.owner !== from || secrets.has(marker.secret)) return [];
    const message = `it is a token of the deployment "${from}" for the secret ${marker.secret}, which no entry of this policy has, so nobody retires it once that deployment is destroyed: write an entry with that secret and repeat the command, or end it: keyturn revoke --token-id ${tokenId}`;
    return [{ kind: LEFT_TO_OTHERS, message, tokenId }];
  });
}

/**
 * Plans which tokens and secrets become ours. Pure. It destroys nothing, so there is no limit.
 * @param seen by the secret's name
 * @param listed every live token of the cluster
 */
export function planTakeover(
  policy: Policy,
  seen: ReadonlyMap<string, SecretSeen>,
  { tokens, from }: Asked,
  listed: readonly Token[],
): Plan<TakeOver> {
  const { owner } = policy;
  const decided = policy.tokens
    .filter(({ name }) => tokens.includes(name))
    .map(({ name, secret: secretName }) => {
      const about = { token: name, secret: secretName };
      const found = seen.get(secretName) ?? { secret: undefined, strings: new Map(), tokens: [] };
      const owners = new Set([owner, ...(from === undefined ? [] : [from])]);
      const { action, findings } = found.secret
        ? decide({ ...found, secret: found.secret, name, owner, from }, policy)
        : { findings: [withoutSecret(found, secretName, owners)] };
      return { action, findings: findings.map((note) => ({ ...about, ...note })) };
    });
  return limitedPlan({
    job: 'rotate',
    policy,
    actions: decided.flatMap(({ action }) => action ?? []),
    findings: [...decided.flatMap(({ findings }) => findings), ...unclaimed(policy, from, listed)],
    limits: [],
  });
}
