import { createHash } from 'node:crypto';
import { DAY, HOUR, MINUTE } from '../../world/policy.ts';
import { acts, deleteToken } from '../acts.ts';
import type { Laboratory, Run } from '../laboratory.ts';
import { policyWith, SECRET } from '../policy.ts';
import { dieAfter, forced, issue, reap, retire, rotate } from './scenario.ts';

/** Two entries, so that there is a string to compare a refused one with; and lives that outlast a month's few runs. */
export const ordersPolicy = policyWith(
  {
    telegraf: { permissions: { write: ['metrics'] } },
    grafana: { permissions: { write: ['events'] } },
  },
  {
    defaults: {
      rotateEvery: '10d',
      gracePeriod: '1h',
      renewBefore: '2d',
      quarantine: '1h',
      expiresAfter: '40d',
    },
    schedules: { rotate: 'rate(3 days)', reap: 'rate(3 days)' },
  },
);

const reason = 'leaked';

/** What had happened before the order. Several orders begin in the same one. */
export interface Start {
  readonly name: string;
  prepare(laboratory: Laboratory): Promise<void>;
}

const start = (name: string, prepare: Start['prepare']): Start => ({
  name,
  async prepare(laboratory) {
    await issue(laboratory);
    await laboratory.world.wait(3 * HOUR);
    await prepare(laboratory);
    await laboratory.world.wait(10 * MINUTE);
  },
});

const ordering =
  (event: object) =>
  async ({ invoke }: Laboratory): Promise<void> => {
    await invoke({ job: 'revoke', event: { token: 'telegraf', reason: 'before', ...event } });
  };

/** A rotation that died when its token could do something. */
const leavePending = (laboratory: Laboratory) => dieAfter(laboratory, 'PATCH /tokens/{id}', forced);

async function supersede({ invoke, world }: Laboratory): Promise<void> {
  await invoke(forced);
  await world.wait(20 * MINUTE);
}

async function haveSeveral(laboratory: Laboratory): Promise<void> {
  await supersede(laboratory);
  await laboratory.invoke(rotate);
  await retire(laboratory, 2);
  await supersede(laboratory);
  await leavePending(laboratory);
}

async function quarantine(laboratory: Laboratory): Promise<void> {
  await supersede(laboratory);
  await retire(laboratory, 2);
}

const current = start('one token', async () => {});
const pending = start('a pending token beside it', leavePending);
const superseded = start('a superseded token beside it', supersede);
const several = start(
  'several versions, one quarantined, one superseded, one pending',
  haveSeveral,
);
const foreign = start('its marker edited away', async ({ world }) => {
  const { AWSCURRENT } = world.holders(SECRET);
  await world.people.changeToken(AWSCURRENT, { description: 'whose is this?' });
});
const byHand = start('a string put by hand', async ({ world }) => {
  await acts['puts a token made by hand']?.(world);
});
const gone = start('its token gone', ({ world }) => deleteToken('AWSCURRENT')(world));
const quarantined = start('a quarantined token beside it', quarantine);
const frozen = start('frozen', async (laboratory) => {
  await supersede(laboratory);
  await ordering({ way: 'freeze' })(laboratory);
});
const deleted = start('deleted', ordering({ way: 'delete' }));
const halfDeleted = start('half deleted', async (laboratory) => {
  await supersede(laboratory);
  const event = { token: 'telegraf', reason: 'before', way: 'delete' };
  await dieAfter(laboratory, 'DELETE /tokens/{id}', { job: 'revoke', event });
});
const formerFrozen = start('the superseded one frozen by its id', async (laboratory) => {
  await supersede(laboratory);
  const { AWSPREVIOUS: tokenId } = laboratory.world.holders(SECRET);
  await ordering({ token: undefined, tokenId, way: 'freeze' })(laboratory);
});

type Selector = (laboratory: Laboratory) => object;

const holder =
  (label: string): Selector =>
  ({ world }) => ({ tokenId: world.holders(SECRET)[label] });

const selectors = {
  token: () => ({ token: 'telegraf' }),
  secret: () => ({ secret: SECRET }),
  database: () => ({ database: 'metrics' }),
  all: () => ({ all: true, confirm: '127.0.0.1' }),
  'the id of its current token': holder('AWSCURRENT'),
  'the id of its superseded token': holder('AWSPREVIOUS'),
  'the id of its quarantined token': ({ view }) => ({
    tokenId: [...view().tokens.values()].find(({ marker }) => marker.quarantined)?.id,
  }),
  fingerprint: ({ world }) => ({
    fingerprint: createHash('sha256').update(world.string(SECRET)).digest('hex').slice(0, 16),
  }),
} as const satisfies Readonly<Record<string, Selector>>;

/** What an answer comes down to: exit codes 0 and 3, or an error. */
export type Outcome = 'confirmed' | 'done' | 'error';

/** An order worth dying in. It is given twice, the second time after a pause. */
export interface OrderScenario {
  readonly name: string;
  readonly start: Start;
  readonly way: string;
  /** Only the token with that label is meant. Absent: all of the secret. */
  readonly single?: 'AWSPREVIOUS';
  /** It is about a token, and not about whatever the secret has by then. */
  readonly namesToken: boolean;
  /** Consumers are cut off before there is a successor. */
  readonly immediately?: true;
  /** How the repetition ends where nobody interfered; `confirmed` unless it says so. */
  readonly ends: readonly Outcome[];
  order(laboratory: Laboratory): Run;
}

function scenario(
  way: string,
  selector: keyof typeof selectors,
  begin: Start,
  { ends = ['confirmed'], ...more }: Partial<OrderScenario> & { readonly noUndo?: true } = {},
): OrderScenario {
  const { immediately, noUndo, single } = more;
  const named = `${way}${immediately ? ' immediately' : ''} by ${selector}, ${begin.name}`;
  return {
    name: named,
    start: begin,
    way,
    ends,
    namesToken: selector === 'fingerprint' || selector.startsWith('the id'),
    ...(single && { single }),
    ...(immediately && { immediately }),
    order: (laboratory) => ({
      job: 'revoke',
      event: {
        way,
        reason,
        ...selectors[selector](laboratory),
        ...(immediately && { immediately }),
        ...(noUndo && { noUndo }),
      },
    }),
  };
}

/** Later the cluster knows no such token any more, and the answer says so. */
const LATE = ['confirmed', 'confirmed', 'done', 'done'] as const;
/** Nothing gives a token back that is gone. */
const GONE_LATER = ['confirmed', 'confirmed', 'error', 'error'] as const;
const ofSingle = { single: 'AWSPREVIOUS', ends: LATE } as const;

export const revocation: readonly OrderScenario[] = [
  scenario('freeze', 'token', current),
  scenario('freeze', 'secret', several),
  scenario('freeze', 'fingerprint', pending),
  scenario('freeze', 'database', foreign, { noUndo: true, ends: ['done'] }),
  scenario('freeze', 'the id of its superseded token', superseded, ofSingle),
  scenario('replace', 'token', current),
  scenario('replace', 'the id of its current token', pending, { ends: LATE }),
  scenario('replace', 'fingerprint', several, { ends: LATE }),
  scenario('replace', 'database', superseded, { ends: ['done'] }),
  scenario('replace', 'secret', foreign),
  scenario('replace', 'token', byHand, { ends: ['done'] }),
  scenario('replace', 'all', pending, { ends: ['done'] }),
  scenario('replace', 'token', gone),
  scenario('replace', 'token', formerFrozen, { ends: ['done'] }),
  scenario('replace', 'secret', several, { immediately: true }),
  scenario('replace', 'the id of its superseded token', superseded, {
    ...ofSingle,
    ends: ['done'],
  }),
  scenario('delete', 'token', current),
  scenario('delete', 'secret', several),
  scenario('delete', 'fingerprint', superseded),
  scenario('delete', 'the id of its current token', pending),
  scenario('delete', 'database', foreign, { ends: ['done'] }),
  scenario('unfreeze', 'token', frozen),
  scenario('unfreeze', 'fingerprint', frozen, { ends: GONE_LATER }),
  scenario('lift', 'token', deleted),
  scenario('lift', 'secret', halfDeleted),
  scenario('restore', 'the id of its quarantined token', quarantined, { ends: GONE_LATER }),
];

/** The same order again: so long after the first attempt, while the schedules go on. */
export interface Pause {
  readonly name: string;
  readonly waits: readonly { readonly ms: number; readonly runs: readonly Run[] }[];
}

const wait = (ms: number, ...runs: readonly Run[]) => ({ ms, runs });
const anHourAndAHalf = [
  wait(30 * MINUTE, rotate),
  wait(30 * MINUTE, rotate, reap),
  wait(30 * MINUTE, rotate),
];

export const pauses: readonly Pause[] = [
  { name: 'a minute', waits: [wait(MINUTE)] },
  { name: '16 minutes', waits: [wait(15 * MINUTE, rotate), wait(MINUTE)] },
  { name: '90 minutes', waits: anHourAndAHalf },
  {
    name: 'a month',
    waits: [
      ...anHourAndAHalf,
      ...Array<Pause['waits'][number]>(10).fill(wait(3 * DAY, rotate, reap)),
    ],
  },
];
