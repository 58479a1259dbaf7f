import type { Token } from '../../management-api/token.ts';
import type { Policy } from '../../policy/policy.ts';
import { RequestError } from '../../run/request.ts';
import type { ObservedToken } from '../../tokens/observation.ts';
import type { BlastRadius, KnownToken } from '../report.ts';
import type { RevocationRequest } from '../request.ts';
import { decideRevocation, type Order } from './decide-revocation.ts';
import { canKeep, decideToken } from './decide-token.ts';
import { knowToken } from './known-token.ts';
import {
  candidatesAmong,
  type OrderObservation,
  selectTarget,
  type Target,
} from './select-tokens.ts';
import { warningsOf } from './warnings.ts';

export const orderOf = (request: RevocationRequest, { namedToken, named }: Target): Order => ({
  way: request.way,
  immediately: request.immediately,
  named,
  ...(namedToken !== undefined && { namedToken }),
});

export interface RevocationPlan extends BlastRadius {
  readonly target: Target;
}

function selectTokens(
  target: Target,
  around: OrderObservation,
  request: RevocationRequest,
): Token[] {
  const found = new Map<string, Token>();
  for (const name of target.secrets) {
    const seen = around.secrets.get(name);
    for (const { token } of seen?.tokens ?? []) found.set(token.id, token);
    for (const holder of seen?.holders.values() ?? []) {
      if (holder.state === 'foreign') found.set(holder.token.id, holder.token);
    }
  }
  for (const { token } of target.single) found.set(token.id, token);
  const revoked = around.tokens.find(({ id }) => id === target.gone);
  if (request.way === 'whois' && revoked) found.set(revoked.id, revoked);
  return [...found.values()];
}

/** @throws RequestError */
function refuse(
  request: RevocationRequest,
  target: Target,
  policy: Policy,
  around: OrderObservation,
) {
  const { way, selector, confirm, dryRun, noUndo } = request;
  if (dryRun || way === 'whois') return;
  const { host, hostname } = new URL(policy.cluster.url);
  if (selector.kind === 'all' && confirm !== host && confirm !== hostname) {
    throw new RequestError(`all requires "confirm": "${hostname}", the host of the cluster`);
  }
  if (way !== 'freeze' || noUndo) return;
  const lost = target.single.find(({ owned }) => !owned);
  if (lost) {
    throw new RequestError(
      `${lost.token.id} is not ours, so unfreezing could not give its permissions back; to freeze it anyway, add "noUndo": true`,
    );
  }
  const owned = target.secrets.flatMap((name) => around.secrets.get(name)?.tokens ?? []);
  const long = [...owned, ...target.single.flatMap(({ owned: each }) => each ?? [])].filter(
    (each) => !canKeep(each, around.at),
  );
  if (long.length > 0) {
    const ids = long.map(({ token }) => token.id).join(', ');
    throw new RequestError(
      `the description has no room for the permissions of ${ids}, so unfreezing could not give them back; to freeze anyway, add "noUndo": true`,
    );
  }
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
  refuse(request, target, policy, around);
  const order = orderOf(request, target);
  const about = {
    now: around.at,
    policy,
    secrets: new Map([...around.secrets].map(([name, { secret }]) => [name, secret])),
  };
  const seen = target.secrets.flatMap((name) => around.secrets.get(name) ?? []);
  const tokens: KnownToken[] = selectTokens(target, around, request).map((each) =>
    knowToken(each, about),
  );
  const secrets = new Set([
    ...target.secrets,
    ...target.single.flatMap(({ owned }) => owned?.marker.secret ?? []),
  ]);
  const labelsOf = ({ owned }: ObservedToken) =>
    around.secrets.get(owned?.marker.secret ?? '')?.secret.labels ?? {};
  const single = target.single.flatMap((each) => decideToken(each, request.way, labelsOf(each)));
  return {
    target,
    tokens,
    databases: [
      ...new Set(tokens.flatMap(({ permissions }) => permissions.map(({ resource }) => resource))),
    ].sort(),
    secrets: [...secrets].sort(),
    actions: [...seen.flatMap((each) => decideRevocation(each, order, around.at)), ...single],
    ...(target.unknown !== undefined && {
      candidates: candidatesAmong(around).map((each) => knowToken(each, about)),
    }),
    warnings: warningsOf(target, order, request, around),
  };
}
