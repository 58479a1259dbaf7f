import type { Permission, Token } from '../../management-api/token.ts';
import { entryOf, type Policy, secretPrefix } from '../../policy/policy.ts';
import { parseMarker } from '../../tokens/marker.ts';
import type { ObservedSecret, ObservedToken } from '../../tokens/observation.ts';
import { isExpired, provenCurrent } from '../../tokens/state.ts';
import { versionIdOf } from '../../tokens/version-id.ts';
import type { RevocationRequest, RevocationWay, Selector } from '../request.ts';
import { findSuccessor } from './decide-revocation.ts';
import { findByFingerprint, grantsOf } from './known-token.ts';

/** What was selected does not exist, or more than one thing fits; nothing was done. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError';
}

/** What an order is about: whole secrets, and single tokens. */
export interface Target {
  readonly secrets: readonly string[];
  /** Tokens that are revoked by themselves: they are neither current nor pending, or not ours. */
  readonly single: readonly ObservedToken[];
  /** The id of the token that was named by id or fingerprint. */
  readonly namedToken?: string;
  /** The id of a token that was named and does not exist, or is revoked already. */
  readonly gone?: string;
  /** Why nobody knows whose string has the fingerprint that was named. Then nothing is selected. */
  readonly unknown?: string;
  readonly named: boolean;
}

/** What the values in Secrets Manager said about a fingerprint that no marker bears. */
export interface LeakedSearch {
  /** The token that has the string. Absent: no value has it, or nobody knows whose it is. */
  readonly tokenId?: string;
  /** The secrets that have the string, with the labels of its versions. */
  readonly places: readonly string[];
  /** How many values were compared. */
  readonly compared: number;
  /** How many values could not be read. */
  readonly unread: number;
}

/** The part of the observation that a selection needs. */
export interface OrderObservation {
  readonly at: number;
  readonly secrets: ReadonlyMap<string, ObservedSecret>;
  readonly tokens: readonly Token[];
  /** Absent: no fingerprint was named, or a marker bears it. */
  readonly leaked?: LeakedSearch | undefined;
}

const whole = (secrets: readonly string[], named: boolean, namedToken?: string): Target => ({
  secrets,
  single: [],
  named,
  ...(namedToken !== undefined && { namedToken }),
});

/** Whether these permissions allow to read or write a database. */
export const touches = (permissions: readonly Permission[], database: string) =>
  permissions.some(
    ({ action, resource }) =>
      (action === 'read' || action === 'write') && (resource === '*' || resource === database),
  );

function selectSecret(nameOrArn: string, { secrets }: OrderObservation): string {
  for (const { secret } of secrets.values()) {
    if (secret.name === nameOrArn || secret.arn === nameOrArn) return secret.name;
  }
  throw new SelectionError(`this deployment has no secret ${nameOrArn}`);
}

function selectName(name: string, policy: Policy, around: OrderObservation): string {
  const entry = policy.tokens.find((each) => each.name === name);
  // Its entry may have left the policy.
  const secret = entry?.secret ?? `${secretPrefix(policy.owner)}${name}`;
  if (around.secrets.has(secret)) return secret;
  if (!entry)
    throw new SelectionError(`neither the policy nor Secrets Manager has a token ${name}`);
  throw new SelectionError(`${name} has no secret yet, and therefore no token`);
}

/** By the permissions of a secret's tokens and of its entry: after a deletion there are no tokens to ask. */
function selectDatabase(name: string, policy: Policy, { secrets }: OrderObservation): string[] {
  return [...secrets.values()]
    .filter(({ secret, tokens }) => {
      const entry = entryOf(policy, secret.name);
      const given = tokens.map(({ token, marker }) => grantsOf(token, marker));
      return [...given, entry?.permissions ?? []].some((each) => touches(each, name));
    })
    .map(({ secret }) => secret.name);
}

/** The secret in which this token is current or pending, or was until `revoke` replaced it: all its tokens are meant. */
function secretOf(
  id: string,
  versions: readonly string[],
  way: RevocationWay,
  { secrets, at }: OrderObservation,
) {
  const all = [...secrets.values()];
  const labelled = all.find((seen) => {
    const { AWSCURRENT, AWSPENDING } = seen.secret.labels;
    return [AWSCURRENT, AWSPENDING].some((version) => {
      if (version === undefined) return false;
      const holder = seen.holders.get(version);
      const named = holder?.state === 'owned' && holder.owned.token.id === id;
      return named || versions.includes(version);
    });
  });
  if (labelled || way !== 'replace') return labelled;
  return all.find((seen) => findSuccessor(seen, { namedToken: id }, at)?.marker.replaces === id);
}

function selectToken(id: string, { way }: RevocationRequest, around: OrderObservation): Target {
  const owned = [...around.secrets.values()]
    .flatMap(({ tokens }) => tokens)
    .find(({ token }) => token.id === id);
  const home = secretOf(id, owned?.versions ?? [versionIdOf(id), id], way, around);
  if (home && way !== 'restore') return whole([home.secret.name], true, id);
  const token = around.tokens.find((each) => each.id === id && each.revokedAt === undefined);
  if (!token) return { secrets: [], single: [], gone: id, named: true };
  const own = owned && around.secrets.get(owned.marker.secret);
  // No token of the secret is proven current, so consumers may be using this one: it gets a successor.
  if (way === 'replace' && own && !provenCurrent(own, around.at)) {
    return whole([own.secret.name], true, id);
  }
  return { secrets: [], single: [{ token, ...(owned && { owned }) }], named: true };
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

function unknownBecause(fingerprint: string, { places, compared, unread }: LeakedSearch): string {
  const found =
    places.length > 0
      ? `the string is in ${places.join(' and ')}, and nobody knows whose it is`
      : `the string is in none of ${counted(compared, 'value')} of our secrets`;
  const missed = unread > 0 ? `; ${counted(unread, 'value')} could not be read` : '';
  return `no marker has the fingerprint ${fingerprint}, and ${found}${missed}`;
}

const NOWHERE: LeakedSearch = { places: [], compared: 0, unread: 0 };
const MOST_SAID = 10;

/** The live tokens that may have a string whose fingerprint no marker bears: those whose string Keyturn never saw. */
export function candidatesAmong({ tokens, at }: Pick<OrderObservation, 'tokens' | 'at'>): Token[] {
  return tokens
    .filter(
      (token) =>
        token.revokedAt === undefined &&
        !isExpired(token, at) &&
        token.permissions.length > 0 &&
        parseMarker(token.description)?.marker.fp === undefined,
    )
    .sort((a, b) => b.createdAt - a.createdAt);
}

/** An order that would change something fails; a dry run and `whois` answer with the candidates. */
function selectUnknown(
  unknown: string,
  { way, dryRun }: RevocationRequest,
  around: OrderObservation,
): Target {
  if (dryRun || way === 'whois') return { secrets: [], single: [], unknown, named: true };
  const ids = candidatesAmong(around).map(({ id }) => id);
  const more = ids.length > MOST_SAID ? ', …' : '';
  const said = ids.slice(0, MOST_SAID).join(', ');
  const which =
    ids.length > 0
      ? `it may be one of ${counted(ids.length, 'live token')} whose string Keyturn never saw: ${said}${more}; way "whois" describes them, and tokenId names one`
      : 'every live token has another fingerprint';
  throw new SelectionError(`${unknown}; nothing was done; ${which}`);
}

function selectFingerprint(
  fingerprint: string,
  request: RevocationRequest,
  around: OrderObservation,
): Target {
  const [found, another] = findByFingerprint(around.tokens, fingerprint);
  if (another) {
    throw new SelectionError(
      `several markers have the fingerprint ${fingerprint}: ${found?.id}, ${another.id}; name one by its id`,
    );
  }
  const { leaked = NOWHERE } = around;
  const id = found?.id ?? leaked.tokenId;
  if (id !== undefined) return selectToken(id, request, around);
  return selectUnknown(unknownBecause(fingerprint, leaked), request, around);
}

/** The quarantined token of an entry, if there is exactly one. */
function selectQuarantined(name: string, policy: Policy, around: OrderObservation): Target {
  const seen = around.secrets.get(selectName(name, policy, around));
  const found = (seen?.tokens ?? []).filter(({ marker }) => marker.quarantined !== undefined);
  const [first, another] = found;
  if (!first) throw new SelectionError(`no token of ${name} is quarantined`);
  if (another) {
    const ids = found.map(({ token }) => token.id).join(', ');
    throw new SelectionError(
      `several tokens of ${name} are quarantined: ${ids}; name one by its id`,
    );
  }
  return { secrets: [], single: [{ token: first.token, owned: first }], named: true };
}

/**
 * Finds the secrets and tokens that an order is about. Pure.
 * @throws SelectionError
 */
export function selectTarget(
  request: RevocationRequest,
  policy: Policy,
  around: OrderObservation,
): Target {
  const selector: Selector = request.selector;
  switch (selector.kind) {
    case 'token':
      return request.way === 'restore'
        ? selectQuarantined(selector.name, policy, around)
        : whole([selectName(selector.name, policy, around)], true);
    case 'tokenId':
      return selectToken(selector.id, request, around);
    case 'fingerprint':
      return selectFingerprint(selector.fingerprint, request, around);
    case 'secret':
      return whole([selectSecret(selector.nameOrArn, around)], true);
    case 'database':
      return whole(selectDatabase(selector.name, policy, around), false);
    case 'all':
      return whole([...around.secrets.keys()], false);
    default:
      selector satisfies never;
      throw new Error('unknown selector of an order');
  }
}
