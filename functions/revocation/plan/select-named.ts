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
import type { OwnedToken } from '../../tokens/observation.ts';
import type { RevocationRequest } from '../request.ts';
import { foreignHolders } from './decide-revocation.ts';
import { isRepeatedIn } from './given-before.ts';
import {
  endedHidden,
  hiddenTokens,
  isNothingShown,
  notShownHere,
  refuseUnseen,
  withHidden,
} from './hidden-tokens.ts';
import { grantsOf } from './known-token.ts';
import {
  isCutShort,
  NONE,
  type OrderObservation,
  SelectionError,
  type Target,
  whole,
} from './target.ts';

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

export function selectSecret(
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

export function selectName(
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

/** By the permissions of a secret's tokens and of its entry: after a deletion there are no tokens to ask. */
export function selectDatabase(
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
