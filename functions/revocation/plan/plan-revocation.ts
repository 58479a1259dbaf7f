import type { Token } from '../../management-api/token.ts';
import type { Policy } from '../../policy/policy.ts';
import { RequestError } from '../../run/request.ts';
import { describeToken } from '../../tokens/marker.ts';
import type { ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import type { BlastRadius, KnownToken, RevocationAction } from '../report.ts';
import type { RevocationRequest } from '../request.ts';
import { decideRevocation, findSuccessor, leftBecause, type Order } from './decide-revocation.ts';
import { knowToken } from './known-token.ts';
import {
  type LoneToken,
  type Surroundings,
  selectTarget,
  type Target,
  touches,
} from './select-tokens.ts';

/** How long a description may get; no limit is documented, and one that was cut would lose the marker. */
const LONGEST_DESCRIPTION = 4_096;

export const orderOf = (request: RevocationRequest, { condemned, named }: Target): Order => ({
  way: request.way,
  immediately: request.immediately,
  named,
  ...(condemned !== undefined && { condemned }),
});

/** Whether the marker has room for the permissions that are to be taken away. */
export function canKeep({ token, marker, text }: OwnedToken, now: number): boolean {
  const kept = { ...marker, frozen: now, was: token.permissions };
  return describeToken(text, kept).length <= LONGEST_DESCRIPTION;
}

/** The steps for a token that is dealt with by itself. */
export function decideLone(
  { token, owned }: LoneToken,
  { way }: Pick<RevocationRequest, 'way'>,
  labels: Readonly<Record<string, string>>,
): readonly RevocationAction[] {
  const tokenId = token.id;
  const about = { tokenId, ...(owned && { secret: owned.marker.secret }) };
  switch (way) {
    case 'freeze':
      return token.permissions.length > 0 ? [{ kind: 'strip', ...about }] : [];
    case 'delete':
    case 'replace':
      return [
        ...(owned && labels.AWSPREVIOUS === owned.version
          ? [
              {
                kind: 'detach-label' as const,
                ...about,
                tokenId: owned.version,
                label: 'AWSPREVIOUS',
              },
            ]
          : []),
        { kind: 'delete', ...about },
      ];
    case 'unfreeze':
      return owned?.marker.frozen === undefined ? [] : [{ kind: 'give-back', ...about }];
    case 'restore': {
      const { quarantined, frozen } = owned?.marker ?? {};
      const undone = quarantined !== undefined && frozen === undefined;
      return undone ? [{ kind: 'give-back', ...about }] : [];
    }
    default:
      return [];
  }
}

const KILLS: readonly Order['way'][] = ['replace', 'freeze', 'delete'];

function* warnOfSecret(seen: ObservedSecret, order: Order, now: number): Generator<string> {
  const { name, deletedAt } = seen.secret;
  const left = leftBecause(seen, order);
  if (left) yield `${name} ${left}`;
  if (deletedAt !== undefined)
    yield `${name} is scheduled for deletion; nothing in it can be changed`;
  for (const holder of KILLS.includes(order.way) ? seen.holders.values() : []) {
    if (holder.state !== 'foreign' || holder.token.id === order.condemned) continue;
    yield `${name} holds ${holder.token.id}, which does not bear its marker and is left alone; name it by its id`;
  }
  const successor = order.way === 'replace' && findSuccessor(seen, order, now);
  if (successor) {
    yield `${name} got ${successor.token.id} from revoke just now, which stays; to revoke this one too, name it by its id`;
  }
}

function warnOfOthers(request: RevocationRequest, { tokens, secrets }: Surroundings): string[] {
  const { selector } = request;
  if (selector.kind !== 'database') return [];
  const owned = new Set(
    [...secrets.values()].flatMap((seen) => seen.tokens.map(({ token }) => token.id)),
  );
  const others = tokens.filter(
    ({ id, revokedAt, permissions }) =>
      revokedAt === undefined && !owned.has(id) && touches(permissions, selector.name),
  );
  return others.map(
    ({ id }) => `${id}, of others, can use ${selector.name} too; name it by its id`,
  );
}

function warnOfLone({ token, owned }: LoneToken, { way, noUndo }: RevocationRequest): string[] {
  if (owned || way === 'delete' || way === 'whois') return [];
  if (way === 'freeze' && noUndo)
    return [`${token.id} is not ours: nothing keeps what it may do now`];
  return way === 'replace' ? [`${token.id} is not ours: it is deleted without a successor`] : [];
}

export interface RevocationPlan extends BlastRadius {
  readonly target: Target;
}

function selectTokens(target: Target, around: Surroundings, request: RevocationRequest): Token[] {
  const found = new Map<string, Token>();
  for (const name of target.secrets) {
    const seen = around.secrets.get(name);
    for (const { token } of seen?.tokens ?? []) found.set(token.id, token);
    for (const holder of seen?.holders.values() ?? []) {
      if (holder.state === 'foreign') found.set(holder.token.id, holder.token);
    }
  }
  for (const { token } of target.lone) found.set(token.id, token);
  const revoked = around.tokens.find(({ id }) => id === target.gone);
  if (request.way === 'whois' && revoked) found.set(revoked.id, revoked);
  return [...found.values()];
}

/** @throws RequestError */
function refuse(request: RevocationRequest, target: Target, policy: Policy, around: Surroundings) {
  const { way, selector, confirm, dryRun, noUndo } = request;
  if (dryRun || way === 'whois') return;
  const { host, hostname } = new URL(policy.cluster.url);
  if (selector.kind === 'all' && confirm !== host && confirm !== hostname) {
    throw new RequestError(`all wants "confirm": "${hostname}", the host of the cluster`);
  }
  if (way !== 'freeze' || noUndo) return;
  const lost = target.lone.find(({ owned }) => !owned);
  if (lost) {
    throw new RequestError(
      `${lost.token.id} is not ours: nothing would keep its permissions for unfreezing; "noUndo": true freezes it all the same`,
    );
  }
  const owned = target.secrets.flatMap((name) => around.secrets.get(name)?.tokens ?? []);
  const long = [...owned, ...target.lone.flatMap((lone) => lone.owned ?? [])].filter(
    (each) => !canKeep(each, around.at),
  );
  if (long.length > 0) {
    const ids = long.map(({ token }) => token.id).join(', ');
    throw new RequestError(
      `the description has no room for the permissions of ${ids}, so that unfreezing could not give them back; "noUndo": true freezes them all the same`,
    );
  }
}

/**
 * Finds what an order touches and what it would do, in the order of its steps. Pure.
 * @throws SelectionError, or RequestError where the order must not be carried out as it is
 */
export function planRevocation(
  policy: Policy,
  around: Surroundings,
  request: RevocationRequest,
): RevocationPlan {
  const target = selectTarget(request, policy, around);
  refuse(request, target, policy, around);
  const order = orderOf(request, target);
  const about = {
    now: around.at,
    owner: policy.owner,
    entries: policy.tokens,
    secrets: new Map([...around.secrets].map(([name, { secret }]) => [name, secret])),
  };
  const seen = target.secrets.flatMap((name) => around.secrets.get(name) ?? []);
  const tokens: KnownToken[] = selectTokens(target, around, request).map((each) =>
    knowToken(each, about),
  );
  const secrets = new Set([
    ...target.secrets,
    ...target.lone.flatMap(({ owned }) => owned?.marker.secret ?? []),
  ]);
  const lone = target.lone.flatMap((each) =>
    decideLone(
      each,
      request,
      around.secrets.get(each.owned?.marker.secret ?? '')?.secret.labels ?? {},
    ),
  );
  return {
    target,
    tokens,
    databases: [
      ...new Set(tokens.flatMap(({ permissions }) => permissions.map(({ resource }) => resource))),
    ].sort(),
    secrets: [...secrets].sort(),
    actions: [...seen.flatMap((each) => decideRevocation(each, order, around.at)), ...lone],
    warnings: [
      ...seen.flatMap((each) => [...warnOfSecret(each, order, around.at)]),
      ...target.lone.flatMap((each) => warnOfLone(each, request)),
      ...(target.gone === undefined
        ? []
        : [`the cluster has no token ${target.gone}, or it is revoked already`]),
      ...warnOfOthers(request, around),
    ],
  };
}
