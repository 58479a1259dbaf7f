import type { TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { BinaryValueError, NoValueError } from '../secrets-manager/secrets.ts';
import { MINUTE_MS } from '../time.ts';
import { TokenValue } from '../token-value.ts';
import { changeToken, freshToken } from '../tokens/change-token.ts';
import {
  composeSecretString,
  type FormerText,
  hintsOf,
  isShapeShown,
  refuseOtherShape,
} from '../tokens/compose-secret.ts';
import { grantsHash } from '../tokens/marker.ts';
import { type ObservedSecret, type OwnedToken, ownedToken } from '../tokens/observation.ts';
import { covers } from '../tokens/permission-sets.ts';
import { refuseOutsiders } from '../tokens/refuse-outsiders.ts';
import { readTokenString } from '../tokens/secret-string.ts';
import { isStripped, ownedPrevious } from '../tokens/state.ts';
import type { Hints } from '../tokens/token-places.ts';
import type { ArmingTools } from '../tokens/under-hold.ts';
import { versionIdOf } from '../tokens/version-id.ts';
import { type Cause, type Minted, mint } from './mint.ts';

/** A token that will get AWSCURRENT, and its string. */
export interface Successor {
  readonly owned: OwnedToken;
  /** Id of the version that has the string. */
  readonly version: string;
  readonly value: TokenValue;
}

/**
 * Step 3: stores the string under AWSPENDING. The version's id does not change between attempts, so that a
 * repeated `PutSecretValue` does nothing.
 */
async function store(
  entry: TokenPolicy,
  former: FormerText | undefined,
  { owned: { token }, version, value }: Successor,
  { secrets, policy, log }: Tools,
): Promise<void> {
  const text = composeSecretString(entry, policy, { token, value }, former);
  await secrets.put(entry.secret, version, text, 'AWSPENDING');
  log.info('stored', { secret: entry.secret, tokenId: token.id, version });
}

/**
 * The text of a version that a label names. Undefined: this run saw that it has none.
 * @throws NoValueError, BinaryValueError
 */
async function textOf(
  { secret: { name }, holders }: ObservedSecret,
  version: string,
  { secrets }: Tools,
): Promise<TokenValue | undefined> {
  const text = await secrets.value(name, version);
  if (text || holders.get(version)?.state === 'empty') return text;
  throw notShown(name, version);
}

const notShown = (secret: string, version: string) =>
  new NoValueError(
    `Secrets Manager shows no value of version ${version} of ${secret}, though a label names it; the next run reads it again`,
  );

/** The same of bytes, too, which have no text. */
async function textOrBytes(...where: Parameters<typeof textOf>): Promise<TokenValue | undefined> {
  try {
    return await textOf(...where);
  } catch (error) {
    if (error instanceof BinaryValueError) return undefined;
    throw error;
  }
}

/**
 * AWSCURRENT's text, whose shape the new version keeps; with that of AWSPREVIOUS where it shows none. Undefined:
 * neither has one.
 */
export async function formerText(
  entry: TokenPolicy,
  seen: ObservedSecret,
  tools: Tools,
): Promise<FormerText | undefined> {
  const { AWSCURRENT, AWSPREVIOUS } = seen.secret.labels;
  if (AWSCURRENT === undefined) return undefined;
  // The bytes of an entry with `adopt` are refused: somebody stores as bytes what should be text.
  const found = await (entry.adopt ? textOf : textOrBytes)(seen, AWSCURRENT, tools);
  // Bytes that a person put into a secret of ours have no shape to keep.
  const former = { text: found ?? new TokenValue(''), ...hintsOf(seen) };
  const shown = found && former;
  if (AWSPREVIOUS === undefined || isShapeShown(entry, former)) return shown;
  const previous = await textOrBytes(seen, AWSPREVIOUS, tools);
  if (!previous) return shown;
  return { ...former, previous: { text: previous, own: ownedPrevious(seen)?.marker.fp } };
}

/** What is still to be written into a token that waits to be promoted: what was not done, or is due anew. */
function preparation(
  { permissions }: Pick<TokenPolicy, 'permissions'>,
  { owned: { token, marker }, value }: Minted,
  { forced, isCurrent }: { readonly forced: boolean; readonly isCurrent: boolean },
  now: number,
) {
  const grants = grantsHash(permissions);
  const isNew = !covers(token.permissions, permissions);
  const given = grants !== grantsHash(token.permissions) || marker.grants !== grants;
  return {
    marker: {
      ...(given && { id: token.id, fp: value.fingerprint(), grants }),
      // The routers learn of a new permission as late as of a new token.
      ...((isNew || marker.armed === undefined) && { armed: now }),
      // Whatever becomes of this run, later ones ask until it is seen accepted.
      ...(given && isCurrent && { refused: now, promoted: now }),
      ...(forced && !marker.forced && { forced: true as const }),
      // A repetition of the request is answered by what it has promoted, however old that is.
      ...(forced && now - token.createdAt >= MINUTE_MS && { asked: now }),
    },
    ...(given && { permissions }),
  };
}

/**
 * Step 4: the token gets its permissions only now, after its string was stored. Undefined: a person stopped
 * it, or it is being retired, and then nothing arms it.
 * A pending token that a server armed by half is given up, and another one is minted; where no other version
 * has AWSCURRENT nothing would be minted, so a secret's first token is armed like one in use.
 */
async function arm(
  entry: TokenPolicy,
  successor: Successor,
  { forced, isCurrent }: { readonly forced: boolean; readonly isCurrent: boolean },
  tools: ArmingTools,
): Promise<Successor | undefined> {
  const { owned } = successor;
  if (owned.marker.frozen !== undefined || isStripped(owned)) return undefined;
  const change = preparation(entry, successor, { forced, isCurrent }, tools.apiNow());
  if ((change.permissions || !isCurrent) && isRetired(owned)) return undefined;
  if (Object.keys(change.marker).length === 0) return successor;
  const token = await (isCurrent ? tools.armInUse : tools.arm)(owned, change);
  return {
    ...successor,
    owned: ownedToken(token, { ...owned, marker: { ...owned.marker, ...change.marker } }),
  };
}

const isRetired = ({ marker: { superseded, quarantined } }: OwnedToken) =>
  superseded !== undefined || quarantined !== undefined;

/**
 * Whatever forbids to mint a successor. It is known while the string lives that the successor follows, and only reads.
 * @throws OutsiderError, NoValueError, BinaryValueError, SecretShapeError
 */
export async function refuseSuccessor(
  entry: TokenPolicy,
  seen: ObservedSecret,
  tools: Tools,
): Promise<FormerText | undefined> {
  await refuseOutsiders(seen, tools);
  const former = await formerText(entry, seen, tools);
  refuseOtherShape(entry, tools.policy, former);
  return former;
}

/** Steps 2 to 4: mints a token, stores it and arms it. Undefined: a person stopped it meanwhile. */
export async function mintSuccessor(
  entry: TokenPolicy,
  seen: ObservedSecret,
  cause: Cause,
  tools: ArmingTools,
): Promise<Successor | undefined> {
  const former = await refuseSuccessor(entry, seen, tools);
  const minted = await mint(entry, seen, cause, tools);
  const { id } = minted.owned.token;
  const version = cause.minted ?? versionIdOf(id);
  if (cause.minted !== undefined) {
    // Such a version's id does not say whose string it has, so the marker must, before the string is there.
    await changeToken(tools, minted.owned, { marker: { id, fp: minted.value.fingerprint() } });
  }
  await store(entry, former, { ...minted, version }, tools);
  // A listing that lags may not show it yet, and nobody else has changed it then.
  const owned = (await freshToken(tools, minted.owned)) ?? minted.owned;
  const isCurrent = (seen.secret.labels.AWSCURRENT ?? version) === version;
  return arm(entry, { ...minted, owned, version }, { forced: cause.forced, isCurrent }, tools);
}

/** Where a pending text has its string: Keyturn put it where AWSCURRENT's text has its own. */
export const hintsOfPending = ({ marker }: OwnedToken, current: FormerText | undefined): Hints => ({
  own: marker.fp,
  known: [],
  previous: current,
});

/**
 * The token of an earlier run, with its string. Undefined: the token is gone, it was never stored, or the string is
 * another's.
 * @throws NoValueError if a label names the version
 */
export async function readSuccessor(
  entry: TokenPolicy,
  seen: ObservedSecret,
  found: Pick<Successor, 'owned' | 'version'>,
  tools: Tools,
): Promise<Successor | undefined> {
  const { version } = found;
  const text = await tools.secrets.value(entry.secret, version);
  const owned = await freshToken(tools, found.owned);
  if (!text && Object.values(seen.secret.labels).includes(version)) {
    throw notShown(entry.secret, version);
  }
  if (!text || !owned) return undefined;
  // A run that died before it armed the token did not note its fingerprint.
  const isNoted = owned.marker.fp !== undefined || version === seen.secret.labels.AWSCURRENT;
  const current = isNoted ? undefined : await formerText(entry, seen, tools);
  const value = readTokenString(entry, text, hintsOfPending(owned, current));
  const isOther = owned.marker.fp !== undefined && owned.marker.fp !== value.fingerprint();
  return isOther ? undefined : { owned, version, value };
}

/**
 * Step 4 for the token of an earlier run: does what is left of it. Undefined: the token is gone, it was never stored,
 * or a person stopped it.
 */
export async function resumeSuccessor(
  entry: TokenPolicy,
  seen: ObservedSecret,
  found: Pick<Successor, 'owned' | 'version'> & { readonly isCurrent: boolean },
  { forced }: Pick<Cause, 'forced'>,
  tools: ArmingTools,
): Promise<Successor | undefined> {
  const successor = await readSuccessor(entry, seen, found, tools);
  return successor && arm(entry, successor, { forced, isCurrent: found.isCurrent }, tools);
}
