import { OWNER } from '../crash/policy.ts';
import { GRANTED, NAMED, type Rule, withRule } from './databases.ts';
import type { LifePlan } from './plan.ts';
import { textOf } from './windows.ts';

export const nameOf = (token: number) => `token-${token}`;
export const secretOf = (token: number) => `keyturn/${OWNER}/${nameOf(token)}`;

/** What deploys have changed so far. */
export interface Changes {
  readonly removed: ReadonlySet<number>;
  readonly wide: ReadonlySet<number>;
  readonly isSooner: boolean;
  readonly retires: boolean;
  /** About databases; absent: as planned. */
  readonly rules?: readonly Rule[];
}

export const UNCHANGED: Changes = {
  removed: new Set(),
  wide: new Set(),
  isSooner: false,
  retires: false,
};

/** What the consumers of an entry do. */
export const usesOf = ({ reading }: LifePlan, token: number) =>
  reading?.includes(token) ? 'read' : 'write';

/** Ids of the tokens that entries take over. */
export type Inherited = ReadonlyMap<number, string>;

/** The policy file at one time of a life. */
export function policyOf(
  plan: LifePlan,
  { removed, wide, isSooner, retires, rules = plan.databases?.rules ?? NAMED }: Changes,
  inherited: Inherited = new Map(),
): object {
  const adoptOf = (token: number) => {
    const { key } = plan.adopted?.find((each) => each.token === token) ?? {};
    const tokenId = inherited.get(token);
    return tokenId && { adopt: { tokenId, ...(key && { key }) } };
  };
  const { windows } = plan;
  const numbers = Array.from({ length: plan.tokens }, (_, token) => token);
  const listed = numbers.filter((token) => !removed.has(token) || removed.size === plan.tokens);
  return {
    owner: OWNER,
    ...(windows && { timeZone: windows.timeZone }),
    defaults: {
      ...plan.lives,
      ...(isSooner && { quarantine: '30m' }),
      ...(windows && { windows: windows.windows.map(textOf) }),
    },
    limits: plan.limits,
    databases: rules,
    schedules: {
      rotate: `rate(${plan.everyMs.rotate / 60_000} minutes)`,
      reap:
        plan.everyMs.reap === 3_600_000
          ? 'rate(1 hour)'
          : `rate(${plan.everyMs.reap / 3_600_000} hours)`,
      ...(plan.databases && { enforce: `rate(${plan.databases.everyMs / 3_600_000} hours)` }),
    },
    ...(retires && { onRemoval: 'retire' }),
    ...(plan.replicas && { deployment: { replicaRegions: plan.replicas } }),
    ...(plan.deletesForeign && { expiredForeignTokens: 'delete' }),
    tokens: Object.fromEntries(
      listed.map((token) => [
        nameOf(token),
        {
          permissions: {
            [usesOf(plan, token)]: wide.has(token) ? GRANTED : GRANTED.slice(0, 1),
          },
          ...adoptOf(token),
        },
      ]),
    ),
  };
}

/** Another owner's, on the same cluster and in the same account. */
export const neighbourPolicy = (plan: LifePlan): object => ({
  owner: 'neighbour',
  defaults: plan.lives,
  databases: [{ name: 'events' }],
  tokens: { grafana: { permissions: { read: ['events'] } } },
});

/** The policy's changes after one more deploy. */
export function after(changes: Changes, change: string, token: number): Changes {
  const { removed, wide } = changes;
  const less = (set: ReadonlySet<number>) => new Set([...set].filter((each) => each !== token));
  switch (change) {
    case 'wider':
      return { ...changes, wide: new Set([...wide, token]) };
    case 'narrower':
      return { ...changes, wide: less(wide) };
    case 'removed':
      return { ...changes, removed: new Set([...removed, token]) };
    case 'sooner':
      return { ...changes, isSooner: !changes.isSooner };
    case 'retiring':
      return { ...changes, retires: !changes.retires };
    default:
      return UNCHANGED;
  }
}

/** The same, with another rule for a database. */
export const ruledBy = (changes: Changes, { databases }: LifePlan, rule: Rule): Changes => ({
  ...changes,
  rules: withRule(changes.rules ?? databases?.rules ?? NAMED, rule),
});
