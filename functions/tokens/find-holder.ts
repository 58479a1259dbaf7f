import type { ManagementApi } from '../management-api/management-api.ts';
import type { Token } from '../management-api/token.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { adoptedOf } from './adopted-tag.ts';
import { asOwned, type Holder, type OwnedToken, type SecretNamed } from './observation.ts';
import { isInert } from './state.ts';
import { type NamedToken, tokenNamedBy, versionIdOf } from './version-id.ts';

/** How a version's string is found in its text. */
export interface VersionHints {
  /** Fingerprints of the tokens whose string it may be. */
  readonly known: readonly string[];
  /** The version before it, and the fingerprint of the token that this one is known to have. */
  readonly previous?: { readonly version: string; readonly own: string | undefined };
}

/**
 * The fingerprint of a version's string, or of the whole value, if that has none that is known. `empty`: it has no value.
 * Undefined: nobody could read it, or nobody can tell which of its strings consumers send.
 */
export type ReadFingerprint = (
  secret: string,
  version: string,
  /** They show where it is, if the entry does not. */
  hints: VersionHints,
) => Promise<string | 'empty' | undefined>;

/** What answers whose string a version has. */
export interface HolderSources {
  readonly api: Pick<ManagementApi, 'getToken'>;
  readonly owner: string;
  /** Every secret of ours that was seen. */
  readonly secretNamed: SecretNamed;
  /** All tokens of ours, by the name of their secret. */
  readonly owned: ReadonlyMap<string, readonly OwnedToken[]>;
  /** All others, by id. */
  readonly foreign: ReadonlyMap<string, Token>;
  /** Revoked tokens of ours, by the name of their secret: what they say tells that a string is dead. Absent: nobody listed them. */
  readonly revoked?: ReadonlyMap<string, readonly OwnedToken[]> | undefined;
  /**
   * Whether a version was just put, so that the API may not show its token yet. Absent: what a `GET` says counts.
   * `known`: since when its string is known at least, in whatever version people save it.
   */
  readonly isYoung?:
    | ((secret: Secret, version: string, known?: number) => Promise<boolean>)
    | undefined;
  /** Absent: this function may not read values. */
  readonly readFingerprint?: ReadFingerprint | undefined;
}

const asHolder = (owned: OwnedToken): Holder => ({ state: 'owned', owned });

/** A token that is not ours, and that may have been: the secret's tag remembers an adoption. */
function asForeign(token: Token, secret: Secret): Holder {
  const adopted = adoptedOf(secret);
  const wasOurs = adopted?.tokenId === token.id;
  return { state: 'foreign', token, ...(wasOurs && { adoptedAt: adopted.at }) };
}

/** Whose a token is that a version's id names: people copy a secret with the ids of its versions, too. */
function holderOf(token: Token, secret: Secret, { owner, secretNamed }: HolderSources): Holder {
  const owned = asOwned(token, owner, (name) =>
    name === secret.name ? secret : secretNamed(name),
  );
  if (!owned) return asForeign(token, secret);
  return owned.marker.secret === secret.name ? asHolder(owned) : { state: 'shared', owned };
}

/** Rule 1 by the listing: the token whose id the version's id names. */
function listedByName(
  { tokenId }: NamedToken,
  secret: Secret,
  tokens: readonly OwnedToken[],
  sources: HolderSources,
): Holder | undefined {
  const isNamed = ({ token }: OwnedToken) => token.id === tokenId;
  const mine = tokens.find(isNamed);
  if (mine) return asHolder(mine);
  const others = () => [...sources.owned.values()].flat();
  const token = sources.foreign.get(tokenId) ?? others().find(isNamed)?.token;
  return token && holderOf(token, secret, sources);
}

/**
 * Rule 1 by a `GET`. Only under an id that Keyturn put, and not just now, does a 404 say that the token is
 * gone; a bare UUID may be anybody's, and there only `revokedAt` says so.
 */
async function askByName(
  { tokenId, certain }: NamedToken,
  version: string,
  secret: Secret,
  sources: HolderSources,
): Promise<Holder | undefined> {
  const { api, isYoung } = sources;
  const token = await api.getToken(tokenId);
  if (!token && !certain) return undefined;
  if (!token) return { state: (await isYoung?.(secret, version)) ? 'unshown' : 'gone' };
  if (token.revokedAt !== undefined) return { state: 'gone' };
  return holderOf(token, secret, sources);
}

/** By rules 1 and 2 alone, whose string AWSPREVIOUS has. */
function previousOf(
  version: string,
  { labels: { AWSPREVIOUS: previous } }: Secret,
  tokens: readonly OwnedToken[],
): Pick<VersionHints, 'previous'> {
  if (previous === undefined || previous === version) return {};
  const named = tokenNamedBy(previous)?.tokenId;
  const owned =
    tokens.find(({ token }) => token.id === named) ??
    tokens.find(({ versions }) => versions.includes(previous));
  return { previous: { version: previous, own: owned?.marker.fp } };
}

/** A token that was never armed bears no fingerprint; the version that was put for it has its string. */
async function findNeverArmed(
  fingerprint: string,
  secret: string,
  tokens: readonly OwnedToken[],
  readFingerprint: ReadFingerprint,
): Promise<OwnedToken | undefined> {
  for (const owned of tokens.filter((each) => each.marker.fp === undefined)) {
    const version = versionIdOf(owned.token.id);
    const found = await readFingerprint(secret, version, { known: [fingerprint] });
    if (found === fingerprint) return owned;
  }
  return undefined;
}

/**
 * The token that was adopted with this string, and has lost its marker since: perhaps it has been deleted, too. It is older
 * than a version that has its string, so rule 1 tells of that one whether the API may not show the token yet.
 */
async function findAdopted(
  found: string,
  version: string,
  secret: Secret,
  sources: HolderSources,
): Promise<Holder | undefined> {
  const adopted = adoptedOf(secret);
  if (adopted?.fp !== found) return undefined;
  const { tokenId, fp, at } = adopted;
  const token = sources.foreign.get(tokenId) ?? (await sources.api.getToken(tokenId));
  if (token && token.revokedAt === undefined) return holderOf(token, secret, sources);
  if (!token && (await sources.isYoung?.(secret, version, at))) return { state: 'unshown' };
  return { state: 'gone', adopted: { tokenId, fp } };
}

/** Rule 3: the token whose fingerprint is that of the string, in this secret or in another one of ours. */
async function findByString(
  version: string,
  secret: Secret,
  tokens: readonly OwnedToken[],
  sources: HolderSources,
): Promise<Holder> {
  const { owned, revoked, readFingerprint } = sources;
  const all = [...tokens, ...[...owned.values()].flat()];
  const known = [
    ...all.flatMap(({ marker }) => marker.fp ?? []),
    adoptedOf(secret)?.fp ?? [],
  ].flat();
  const hints = { known, ...previousOf(version, secret, tokens) };
  const found = await readFingerprint?.(secret.name, version, hints);
  if (!readFingerprint) return { state: 'unknown' };
  if (found === undefined) return { state: 'unknown', isUnreadable: true };
  if (found === 'empty') return { state: 'empty' };
  const hasIt = ({ marker }: OwnedToken) => marker.fp === found;
  const mine = tokens.find(hasIt);
  if (mine) return asHolder(mine);
  const dead = revoked?.get(secret.name)?.find(hasIt);
  if (dead) return { state: 'gone', tokenId: dead.token.id };
  const other = [...owned.values()].flat().find(hasIt);
  if (other) return { state: 'shared', owned: other };
  const neverArmed = await findNeverArmed(found, secret.name, tokens, readFingerprint);
  if (neverArmed) return asHolder(neverArmed);
  return (await findAdopted(found, version, secret, sources)) ?? { state: 'unknown' };
}

/** Anybody may put a version under an id that names another secret's token, beside any value. */
const isEnough = (byId: Holder | undefined, { readFingerprint }: HolderSources): byId is Holder =>
  byId !== undefined && (byId.state !== 'shared' || !readFingerprint);

/** Secrets Manager's own rotation writes `minted` and `fp` before it stores the string, and arms only then. */
const isPromised = (owned: OwnedToken, version: string): boolean =>
  owned.marker.minted === version && isInert(owned);

/**
 * Which token a version has. The first rule that answers decides:
 *
 * 1. the version's id names the token: `keyturn-<token id>`, or a bare token id (Keyturn 0.1); that one of another
 *    secret of ours is shared is believed only where no value may be read;
 * 2. the marker of a token of this secret names the version (`version`, `minted`) and has an `fp`; if that
 *    token is revoked, it is gone; of one that was never armed, `minted` says it only where no value may be read;
 * 3. the fingerprint of the string is a token's `fp`, in functions that may read values; of a token that was
 *    never armed, and so bears none, the version that was put for it has the same string; of an adopted one that lost
 *    its marker, the secret's tag remembers the fingerprint;
 * 4. nobody: unknown, which is not gone.
 */
export async function findHolder(
  version: string,
  secret: Secret,
  sources: HolderSources,
): Promise<Holder> {
  const tokens = sources.owned.get(secret.name) ?? [];
  const named = tokenNamedBy(version);
  const listed = named && listedByName(named, secret, tokens, sources);
  const ask = () => named && askByName(named, version, secret, sources);
  const byId = listed ?? (named?.certain ? await ask() : undefined);
  if (isEnough(byId, sources)) return byId;
  const marked = tokens.filter(({ versions }) => versions.includes(version));
  const [only, another] = marked;
  // Two that claim it, or one that was minted for it and perhaps not stored: only the string can tell.
  const mayBeOther = another ?? (sources.readFingerprint && only && isPromised(only, version));
  if (only && !mayBeOther) return asHolder(only);
  const dead = sources.revoked
    ?.get(secret.name)
    ?.find(({ versions }) => versions.includes(version));
  if (dead && marked.length === 0) return { state: 'gone', tokenId: dead.token.id };
  const bare = !byId && marked.length === 0 ? await ask() : undefined;
  return isEnough(bare, sources) ? bare : findByString(version, secret, tokens, sources);
}
