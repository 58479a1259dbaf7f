import type { Token } from '../../management-api/token.ts';
import type { Policy } from '../../policy/policy.ts';
import { approvalHash } from '../../run/plan.ts';
import { RequestError } from '../../run/request.ts';
import type { BlastRadius, KnownToken } from '../report.ts';
import type { RevocationRequest } from '../request.ts';
import { decideRevocation, foreignHolders, notReachedBecause } from './decide-revocation.ts';
import { canGiveBack, decideToken, heldBecause } from './decide-token.ts';
import { homeOfToken } from './hidden-tokens.ts';
import { knowToken } from './known-token.ts';
import { type Order, orderId } from './order.ts';
import { selectTarget } from './select-tokens.ts';
import type { OrderObservation, Target } from './target.ts';
import { withoutTokenBy } from './uncovered.ts';
import { candidatesAmong } from './unknown-string.ts';
import { warningsOf } from './warnings.ts';

export const orderOf = (
  request: RevocationRequest,
  { namedToken }: Target,
  { tokens }: Pick<Policy, 'tokens'>,
  { noToken }: Pick<OrderObservation, 'noToken'>,
): Order => ({
  id: orderId(request),
  entries: new Set(tokens.map(({ secret }) => secret)),
  way: request.way,
  immediately: request.immediately,
  isProof: false,
  ...(request.reason !== undefined && { reason: request.reason }),
  ...(request.by !== undefined && { by: request.by }),
  ...(namedToken !== undefined && { namedToken }),
  ...(noToken && { noToken }),
});

export interface RevocationPlan extends BlastRadius {
  readonly target: Target;
}

/** For what a person confirms: which tokens are meant, what is done, what is left, and who is left without a token. */
const hashOf = ({
  tokens,
  secrets,
  actions,
  notReached,
  withoutToken,
}: Omit<BlastRadius, 'hash'>): string =>
  approvalHash([
    tokens.map(({ tokenId }) => tokenId).sort(),
    secrets,
    actions,
    notReached,
    withoutToken,
  ]);

/** A question about one token names its secret, and is about none of the others in it. */
const isAboutOne = ({ namedToken }: Target, { way }: RevocationRequest) =>
  way === 'whois' && namedToken !== undefined;

function selectTokens(
  target: Target,
  around: OrderObservation,
  request: RevocationRequest,
): Token[] {
  const found = new Map<string, Token>();
  for (const name of isAboutOne(target, request) ? [] : target.secrets) {
    const seen = around.secrets.get(name);
    for (const { token } of seen?.tokens ?? []) found.set(token.id, token);
    for (const token of seen ? foreignHolders(seen) : []) found.set(token.id, token);
  }
  for (const { token } of [...target.single, ...target.hidden]) found.set(token.id, token);
  const revoked = around.tokens.filter(({ id }) => target.gone.includes(id));
  if (request.way === 'whois') for (const token of revoked) found.set(token.id, token);
  return [...found.values()];
}

/** Why freezing could not be undone. Undefined: it can. */
function lossOf(target: Target, around: OrderObservation, policy: Policy): string | undefined {
  const lost = [
    ...target.single.flatMap(({ token, owned: mine }) => (mine ? [] : [token])),
    ...target.secrets.flatMap((name) => {
      const seen = around.secrets.get(name);
      return seen ? foreignHolders(seen).filter(({ permissions }) => permissions.length > 0) : [];
    }),
  ];
  if (lost.length > 0) {
    const ids = lost.map(({ id }) => id).join(', ');
    return `${ids} is not ours, so unfreezing could not give its permissions back`;
  }
  const owned = target.secrets.flatMap((name) => around.secrets.get(name)?.tokens ?? []);
  const long = [...owned, ...target.single.flatMap(({ owned: each }) => each ?? [])].filter(
    (each) => !canGiveBack(each, policy, around.at),
  );
  if (long.length === 0) return undefined;
  const ids = long.map(({ token }) => token.id).join(', ');
  return `the description has no room for the permissions of ${ids}, and no entry of the policy says them, so unfreezing could not give them back`;
}

/** Whoever orders all names the cluster; of a dry run only a wrong name is refused. */
function otherHostOf(
  { way, selector, confirm, dryRun }: RevocationRequest,
  { cluster }: Policy,
): string | undefined {
  const { host, hostname } = new URL(cluster.url);
  const needsNone = way === 'whois' || (dryRun && confirm === undefined);
  if (selector.kind !== 'all' || needsNone || confirm === host || confirm === hostname)
    return undefined;
  return `all requires "confirm": "${hostname}" (--confirm ${hostname}), the host of the cluster in the function's policy`;
}

/** Why the order is refused as it is, known before anybody confirms it. Undefined: it is not. */
function refusalOf(
  request: RevocationRequest,
  target: Target,
  around: OrderObservation,
  policy: Policy,
): string | undefined {
  const { way, noUndo } = request;
  const otherHost = otherHostOf(request, policy);
  if (otherHost !== undefined) return otherHost;
  const loss = way === 'freeze' && !noUndo ? lossOf(target, around, policy) : undefined;
  return loss && `${loss}; to freeze anyway, add "noUndo": true (--no-undo)`;
}

/** @throws RequestError */
function refuse({ way, dryRun }: RevocationRequest, { refusal }: RevocationPlan): void {
  if (dryRun || way === 'whois') return;
  if (refusal !== undefined) throw new RequestError(refusal);
}

/**
 * Finds the tokens that an order is about, and the actions in the order in which they are taken. Pure.
 * @throws SelectionError, or RequestError if the order needs a confirmation or `noUndo`
 */
export function planRevocation(
  policy: Policy,
  around: OrderObservation,
  request: RevocationRequest,
): RevocationPlan {
  const target = selectTarget(request, policy, around);
  const order = orderOf(request, target, policy, around);
  const about = {
    now: around.at,
    policy,
    ...(around.awsError === undefined && {
      secrets: new Map([...around.secrets].map(([name, { secret }]) => [name, secret])),
      unseen: new Set(
        around.unseen?.flatMap(({ secret }) => (around.secrets.has(secret) ? [] : secret)),
      ),
    }),
  };
  const seen = target.secrets.flatMap((name) => around.secrets.get(name) ?? []);
  const tokens: KnownToken[] = selectTokens(target, around, request).map((each) =>
    knowToken(each, about),
  );
  const ofSingle = target.single.map((each) => {
    const home = homeOfToken(each, request.way, around.secrets);
    const reason = heldBecause(each, request.way, home?.secret);
    return {
      secret: each.owned?.marker.secret ?? home?.secret.name ?? [],
      actions: decideToken(each, request.way, home),
      notReached: home && reason !== undefined ? [{ secret: home.secret.name, reason }] : [],
    };
  });
  const secrets = new Set([...target.secrets, ...ofSingle.flatMap(({ secret }) => secret)]);
  const plan = {
    tokens,
    databases: [
      ...new Set(tokens.flatMap(({ permissions }) => permissions.map(({ resource }) => resource))),
    ].sort(),
    secrets: [...secrets].sort(),
    actions: [
      ...seen.flatMap((each) => decideRevocation(each, order, around.at)),
      ...ofSingle.flatMap(({ actions }) => actions),
    ],
    notReached: [
      ...seen.flatMap((each) => {
        const reason = notReachedBecause(each, order, around.at);
        return reason === undefined ? [] : [{ secret: each.secret.name, reason }];
      }),
      ...ofSingle.flatMap(({ notReached }) => notReached),
    ],
    ...(target.unknown !== undefined && {
      candidates: candidatesAmong(around).map((each) => knowToken(each, about)),
    }),
    withoutToken: withoutTokenBy(target, request, policy, around),
    warnings: warningsOf(target, order, request, policy, around),
  };
  const refusal = refusalOf(request, target, around, policy);
  const planned = { target, ...plan, ...(refusal && { refusal }), hash: hashOf(plan) };
  refuse(request, planned);
  return planned;
}
