import type { Permission } from '../../management-api/token.ts';
import { nameInArn, SECRET_SUFFIX } from '../../policy/aws-names.ts';
import {
  entryOf,
  namedDatabases,
  type Policy,
  secretPrefix,
  type TokenPolicy,
} from '../../policy/policy.ts';
import { suggestionFor } from '../../policy/suggestion.ts';
import { counted } from '../../run/counted.ts';
import { holdOf } from '../../secrets-manager/hold.ts';
import { pendingVersion } from '../../secrets-manager/secret.ts';
import { isMarkedByOthers, markerOfOthers } from '../../tokens/marker.ts';
import {
  asOwned,
  type ObservedSecret,
  type ObservedToken,
  type OwnedToken,
  secretNamedIn,
} from '../../tokens/observation.ts';
import { isVersionOf, ownedPending, provenCurrent, works } from '../../tokens/state.ts';
import { versionIdOf } from '../../tokens/version-id.ts';
import type { RevocationRequest, RevocationWay } from '../request.ts';
import { findSuccessor, foreignHolders } from './decide-revocation.ts';
import { bearsTrace, bearsTraceOf } from './given-before.ts';
import {
  endedHidden,
  hiddenTokens,
  homeOfToken,
  isNothingShown,
  notShownHere,
  refuseHidden,
  refuseUnseen,
  withHidden,
} from './hidden-tokens.ts';
import { findByFingerprint, grantsOf } from './known-token.ts';
import { ENDING_WAYS, needsNoAws, orderId, UNDOING_WAYS } from './order.ts';
import {
  isCutShort,
  NONE,
  type OrderObservation,
  SelectionError,
  type Target,
  whole,
} from './target.ts';
import { candidatesAmong, listed, mayBeOneOf, NOWHERE, unknownBecause } from './unknown-string.ts';
import { unseenIn } from './unseen.ts';

/** Whether these permissions allow to read or write a database. */
const touches = (permissions: readonly Permission[], database: string) =>
  permissions.some(
    ({ action, resource }) =>
      (action === 'read' || action === 'write') && (resource === '*' || resource === database),
  );

/** What was named: the secrets that are visible, and whether a hidden token belongs to it. */
interface Named {
  /** In the words of the error. */
  readonly what: string;
  readonly secrets: readonly string[];
  readonly isMeant: (hidden: OwnedToken) => boolean;
}

/**
 * Secrets with the hidden tokens that belong to them. Undefined: there is none of both.
 * @throws SelectionError if nothing of the owner is visible, or if the order can do nothing for what is hidden
 */
function selectNamed(
  { what, secrets, isMeant }: Named,
  request: RevocationRequest,
  around: OrderObservation,
  policy: Policy,
): Target | undefined {
  const hidden = hiddenTokens(around, policy.owner).filter(isMeant);
  const gone = endedHidden(around, request, policy.owner).filter(isMeant);
  const named = { ...whole(secrets), gone: gone.map(({ token }) => token.id) };
  const target = withHidden(named, hidden, request, around);
  if (secrets.length === 0) {
    if (isNothingShown(request, around) || (hidden.length > 0 && target.single.length === 0)) {
      const why = notShownHere(policy, around, hidden, request);
      throw new SelectionError(`${what} selects nothing: ${why}`);
    }
    if (hidden.length + gone.length === 0) return undefined;
  }
  return target;
}

const isArnOf = (secret: string, arn: string) =>
  SECRET_SUFFIX.test(arn) && nameInArn(arn).replace(SECRET_SUFFIX, '') === secret;

/** Its secret is there, and is not ours yet. What was adopted may keep `adopt` in the policy, long after that token is gone. */
function refuseUnadopted(entry: TokenPolicy | undefined, around: OrderObservation): void {
  const { tokenId } = entry?.adopt ?? {};
  const isThere = around.tokens.some(
    ({ id, revokedAt }) => id === tokenId && revokedAt === undefined,
  );
  if (!entry?.adopt || !(isThere || isCutShort(around))) return;
  throw new SelectionError(
    `${entry.name} was not adopted yet, so nobody knows whether its secret has the token that its entry names; nothing was done; let it be adopted (keyturn rotate ${entry.name}), and give the order again, or end that token by its id: ${entry.adopt.tokenId} (--token-id)`,
  );
}

function selectSecret(
  nameOrArn: string,
  request: RevocationRequest,
  around: OrderObservation,
  policy: Policy,
): Target {
  const { secrets } = around;
  const name = [...secrets.values()].find(
    ({ secret }) => secret.name === nameOrArn || secret.arn === nameOrArn,
  )?.secret.name;
  const isNamed = (secret: string) =>
    secret === (name ?? nameOrArn) || (name === undefined && isArnOf(secret, nameOrArn));
  const isMeant = ({ marker }: OwnedToken) => isNamed(marker.secret);
  const named = { what: nameOrArn, secrets: name === undefined ? [] : [name], isMeant };
  refuseUnseen(around, request, (each, { notOurs }) => !notOurs && isNamed(each));
  const found = selectNamed(named, request, around, policy);
  if (found) return found;
  refuseUnseen(around, request, isNamed);
  refuseUnadopted(
    policy.tokens.find((each) => isNamed(each.secret)),
    around,
  );
  const known = suggestionFor(nameOrArn, [...secrets.keys()]);
  throw new SelectionError(`this deployment has no secret ${nameOrArn}${known}`);
}

function selectName(
  name: string,
  request: RevocationRequest,
  around: OrderObservation,
  policy: Policy,
): Target {
  const entry = policy.tokens.find((each) => each.name === name);
  // Its entry may have left the policy.
  const secret = entry?.secret ?? `${secretPrefix(policy.owner)}${name}`;
  const isNamed = (each: string) => each === secret;
  const named = {
    what: name,
    secrets: around.secrets.has(secret) ? [secret] : [],
    isMeant: ({ marker }: OwnedToken) => isNamed(marker.secret),
  };
  refuseUnseen(around, request, (each, { notOurs }) => !notOurs && isNamed(each));
  const found = selectNamed(named, request, around, policy);
  if (found) return found;
  refuseUnseen(around, request, isNamed);
  if (!entry) {
    const names = policy.tokens.map((each) => each.name);
    throw new SelectionError(
      `neither the policy nor Secrets Manager has a token ${name}${suggestionFor(name, names)}`,
    );
  }
  refuseUnadopted(entry, around);
  throw new SelectionError(`${name} has no secret here, and the cluster has no live token of it`);
}

/** Whether this very order was carried out in a secret before: nothing may tell any more which tokens it ended there. */
function isRepeatedIn(
  name: string,
  request: RevocationRequest,
  { secrets }: OrderObservation,
): boolean {
  const seen = secrets.get(name);
  return seen !== undefined && bearsTraceOf(seen, request);
}

/** By the permissions of a secret's tokens and of its entry: after a deletion there are no tokens to ask. */
function selectDatabase(
  name: string,
  request: RevocationRequest,
  around: OrderObservation,
  policy: Policy,
): Target {
  const secrets = [...around.secrets.values()].filter((seen) => {
    const entry = entryOf(policy, seen.secret.name);
    const given = seen.tokens.map(({ token, marker }) => grantsOf(token, marker));
    const foreign = foreignHolders(seen).map(({ permissions }) => permissions);
    return [...given, ...foreign, entry?.permissions ?? []].some((each) => touches(each, name));
  });
  const named = {
    what: `the database ${name}`,
    secrets: secrets.map(({ secret }) => secret.name),
    isMeant: ({ token, marker }: OwnedToken) => touches(grantsOf(token, marker), name),
  };
  const found = selectNamed(named, request, around, policy);
  const proven = [...around.secrets.keys()].filter(
    (each) => !named.secrets.includes(each) && isRepeatedIn(each, request, around),
  );
  if (found || proven.length > 0) return { ...(found ?? NONE), proven };
  refuseUnseen(around, request, (_secret, { notOurs }) => !notOurs);
  const granted = [
    ...policy.tokens.flatMap(({ permissions }) => permissions),
    ...around.tokens.flatMap(({ permissions }) => permissions),
  ];
  const known = [...new Set([...namedDatabases(policy), ...granted.map((each) => each.resource)])];
  throw new SelectionError(
    `no token of this deployment can use a database ${name}${suggestionFor(
      name,
      known.filter((each) => each !== name),
    )}`,
  );
}

/** The version that consumers get next. Of a token that is gone, or that somebody went back from, AWSPENDING tells nothing. */
function waitingVersion(seen: ObservedSecret): string | undefined {
  const version = pendingVersion(seen.secret);
  const state = seen.holders.get(version ?? '')?.state;
  const isOver = state === 'gone' || (state === 'owned' && !ownedPending(seen));
  return isOver ? undefined : version;
}

/** Whether this token is current or pending: an order about it means its whole secret. */
export const isInUse = (seen: ObservedSecret, id: string, versions: readonly string[]): boolean =>
  [seen.secret.labels.AWSCURRENT, waitingVersion(seen)].some(
    (version) => version !== undefined && isVersionOf({ id, versions }, seen, version),
  );

/**
 * Versions that have the string of a token, as far as their ids tell, or the marker of one that lives: of a dead one it
 * proves nothing. It means versions of its own secret; another one may have one of the same id.
 */
function versionsIn({ secret }: ObservedSecret, id: string, owned: OwnedToken | undefined) {
  if (!owned || owned.token.revokedAt !== undefined) return [versionIdOf(id), id];
  return owned.marker.secret === secret.name ? owned.versions : [];
}

/** The secret in which this token is current or pending, or was until `revoke` replaced it: all its tokens are meant. */
function secretOf(
  id: string,
  owned: OwnedToken | undefined,
  request: RevocationRequest,
  { secrets, at, endedIn }: OrderObservation,
) {
  const own = secrets.get(owned?.marker.secret ?? '');
  const all = [...(own ? [own] : []), ...secrets.values()];
  const read = endedIn?.isInUse ? secrets.get(endedIn.secret) : undefined;
  const labelled = all.find((seen) => isInUse(seen, id, versionsIn(seen, id, owned))) ?? read;
  if (labelled || request.way !== 'replace') return labelled;
  const order = { id: orderId(request), namedToken: id };
  return all.find((seen) => findSuccessor(seen, order, at)?.marker.replaces === id);
}

/** The secret of a token that is gone, where an order like this one may have ended others of it: then all is proven. */
function withTrace(
  name: string,
  request: RevocationRequest,
  { secrets }: OrderObservation,
): string[] {
  const seen = secrets.get(name);
  const order = { id: orderId(request), way: request.way };
  return seen && ENDING_WAYS.includes(request.way) && bearsTrace(seen, order) ? [name] : [];
}

/**
 * A token that is gone. Its death can be proven, and told; nothing gives it back. An earlier order may have ended all tokens
 * of its secret with it.
 * @param home its secret, as far as that is known
 */
function selectRevoked(
  id: string,
  home: string | undefined,
  request: RevocationRequest,
  around: OrderObservation,
): Target {
  if (UNDOING_WAYS.includes(request.way)) {
    const held = home === undefined ? undefined : around.secrets.get(home);
    const next =
      held && holdOf(held.secret)
        ? `${home} is on hold, and gets another one when that is lifted by its name: "secret": "${home}" (--secret ${home})`
        : 'keyturn rotate mints another one';
    throw new SelectionError(
      `the token ${id} is revoked, and nothing gives a revoked token back; nothing was done; ${next}`,
    );
  }
  return {
    ...NONE,
    gone: [id],
    proven: home === undefined ? [] : withTrace(home, request, around),
  };
}

/** A token that the cluster does not show: it was ended before, if a version of a secret is all that is left of it. */
function selectUnlisted(id: string, request: RevocationRequest, around: OrderObservation): Target {
  if (isCutShort(around)) {
    throw new SelectionError(
      `no listed token has the id ${id}, but the listing is cut: it may live; nothing was done; give the order again`,
    );
  }
  if (around.endedIn) return selectRevoked(id, around.endedIn.secret, request, around);
  throw new SelectionError(
    `the cluster shows no token ${id}: it was deleted, or the id is wrong; check it, or find the token by its string (--leaked)`,
  );
}

/** Another deployment has a successor for its token, and here it has none. */
function refuseOfOthers(token: OrderObservation['tokens'][number], owner: string): void {
  if (!isMarkedByOthers(token.description, owner)) return;
  const other = markerOfOthers(token, owner);
  const whose = other
    ? `belongs to the deployment "${other.owner}" (${other.secret})`
    : 'bears a marker of another deployment, or one that cannot be read';
  throw new SelectionError(
    `${token.id} ${whose}, and here it has no successor; nothing was done; give the order to that deployment, by its policy; to end it all the same, use "way": "delete" (--delete)`,
  );
}

/** A quarantine, and a question, are about the token alone, though consumers have it. */
const ALONE: readonly RevocationWay[] = ['restore', 'whois'];

/** Of a question it is told where consumers have the token: in its home. */
const alone = (
  observed: ObservedToken,
  { way }: RevocationRequest,
  home: ObservedSecret | undefined,
): Target => ({
  ...NONE,
  secrets: home && way === 'whois' ? [home.secret.name] : [],
  single: [observed],
  namedToken: observed.token.id,
});

function selectToken(
  id: string,
  request: RevocationRequest,
  around: OrderObservation,
  { owner }: Policy,
): Target {
  const token = around.tokens.find((each) => each.id === id);
  // Also one that is gone may be what consumers read.
  const owned = token && asOwned(token, owner, secretNamedIn(around));
  const home = secretOf(id, owned, request, around);
  // Nothing here may change a replica, and to end its token needs the cluster alone.
  const isOfReplica = home?.secret.replica && needsNoAws(request);
  if (home && !ALONE.includes(request.way) && !isOfReplica) return whole([home.secret.name], id);
  if (!token) return selectUnlisted(id, request, around);
  if (token.revokedAt !== undefined) {
    return selectRevoked(id, owned?.marker.secret, request, around);
  }
  const own = homeOfToken({ token, ...(owned && { owned }) }, request.way, around.secrets);
  // No token of the secret is proven current, so consumers may be using this one: it gets a successor.
  if (request.way === 'replace' && own && !provenCurrent(own, around.at)) {
    return whole([own.secret.name], id);
  }
  const hidden = hiddenTokens(around, owner).find((each) => each.token.id === id);
  if (hidden) refuseHidden(hidden, request, around);
  const ours = owned ?? hidden;
  if (!ours && request.way === 'replace') refuseOfOthers(token, owner);
  return alone({ token, ...(ours && { owned: ours }) }, request, home);
}

/** An order that would change something fails; a dry run and `whois` answer with the candidates. */
function selectUnknown(
  unknown: string,
  { way, dryRun }: RevocationRequest,
  around: OrderObservation,
): Target {
  if (dryRun || way === 'whois') return { ...NONE, unknown };
  const which = mayBeOneOf(candidatesAmong(around), isCutShort(around));
  throw new SelectionError(`${unknown}; nothing was done; ${which}`);
}

function selectFingerprint(
  fingerprint: string,
  request: RevocationRequest,
  around: OrderObservation,
  policy: Policy,
): Target {
  const [found, another] = findByFingerprint(around.tokens, fingerprint);
  if (another) {
    throw new SelectionError(
      `several markers have the fingerprint ${fingerprint}: ${found?.id}, ${another.id}; name one by its id`,
    );
  }
  const { leaked = NOWHERE } = around;
  const id = found?.id ?? leaked.tokenId;
  if (id !== undefined) return selectToken(id, request, around, policy);
  const proven = leaked.secrets.filter((name) => isRepeatedIn(name, request, around));
  if (proven.length > 0) return { ...NONE, proven };
  const why = unknownBecause(fingerprint, leaked, around, isCutShort(around));
  const notCompared = policy.tokens.flatMap(({ name, secret, adopt }) =>
    adopt && !around.secrets.has(secret)
      ? `; ${name} was not adopted yet, so its string was not compared: by the policy its consumers have ${adopt.tokenId}`
      : [],
  );
  return selectUnknown([why, ...notCompared].join(''), request, around);
}

function selectAll(request: RevocationRequest, policy: Policy, around: OrderObservation): Target {
  const hidden = hiddenTokens(around, policy.owner);
  if (isNothingShown(request, around)) {
    const tokens = hidden.length === 0 ? '' : `, and ${counted(hidden.length, 'token')} of it`;
    const said = unseenIn(around, () => true)?.said;
    throw new SelectionError(
      `Secrets Manager shows no secret of the owner ${policy.owner} here${tokens}${said === undefined ? '' : `, and ${said}`}: is this the wrong account or Region? ` +
        'If there are really none, add "withoutSecrets": true (--without-secrets)',
    );
  }
  const gone = endedHidden(around, request, policy.owner).map(({ token }) => token.id);
  return withHidden({ ...whole([...around.secrets.keys()]), gone }, hidden, request, around);
}

/** What works beside current and pending tokens: an earlier run may have restored it, and have ended before it saw that. */
function restoredBefore({ secrets }: Pick<Target, 'secrets'>, around: OrderObservation): string {
  const ids = secrets.flatMap((name) => {
    const seen = around.secrets.get(name);
    if (!seen) return [];
    const others = seen.tokens.filter((each) => !isInUse(seen, each.token.id, each.versions));
    return others.flatMap(({ token }) => (works(token, around.at) ? token.id : []));
  });
  if (ids.length === 0) return '';
  return `; ${listed(ids)} may have been restored before: "tokenId": ID (--token-id ID) shows whether it is accepted`;
}

/** `restore` undoes the quarantine of single tokens. Of a token named by its entry there must be exactly one. */
function onlyQuarantined(
  { secrets }: Target,
  { selector }: RevocationRequest,
  around: OrderObservation,
): Target {
  const found = secrets.flatMap((name) =>
    (around.secrets.get(name)?.tokens ?? []).filter(
      ({ marker }) => marker.quarantined !== undefined,
    ),
  );
  const [first, another] = found;
  if (!first) {
    const others = restoredBefore({ secrets }, around);
    throw new SelectionError(`no token of what was selected is quarantined${others}`);
  }
  if (another && selector.kind === 'token') {
    const ids = found.map(({ token }) => token.id).join(', ');
    throw new SelectionError(
      `several tokens of ${selector.name} are quarantined: ${ids}; name one by its id`,
    );
  }
  return { ...NONE, single: found.map((owned) => ({ token: owned.token, owned })) };
}

function select(request: RevocationRequest, policy: Policy, around: OrderObservation): Target {
  const { selector } = request;
  switch (selector.kind) {
    case 'token':
      return selectName(selector.name, request, around, policy);
    case 'tokenId':
      return selectToken(selector.id, request, around, policy);
    case 'fingerprint':
      return selectFingerprint(selector.fingerprint, request, around, policy);
    case 'secret':
      return selectSecret(selector.nameOrArn, request, around, policy);
    case 'database':
      return selectDatabase(selector.name, request, around, policy);
    case 'all':
      return selectAll(request, policy, around);
    default:
      selector satisfies never;
      throw new Error('unknown selector of an order');
  }
}

/**
 * Finds the secrets and tokens that an order is about. Pure.
 * @throws SelectionError if it selects nothing, or perhaps not what is meant
 */
export function selectTarget(
  request: RevocationRequest,
  policy: Policy,
  around: OrderObservation,
): Target {
  const target = select(request, policy, around);
  const isById = request.selector.kind === 'tokenId' || request.selector.kind === 'fingerprint';
  return request.way === 'restore' && !isById ? onlyQuarantined(target, request, around) : target;
}
