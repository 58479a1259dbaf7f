import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Interceptor } from '../../sandbox/interception.ts';
import { MINUTE } from '../world/policy.ts';
import { acts } from './acts.ts';
import { note, type Step } from './history.ts';
import { type Laboratory, openLaboratory, type Saved } from './laboratory.ts';
import { SECRET } from './policy.ts';
import { renew } from './scenarios/scenario.ts';
import { viewOf } from './view.ts';

let laboratory: Laboratory;
let renewed: Saved;

beforeAll(async () => {
  laboratory = await openLaboratory();
  await renew(laboratory);
  renewed = laboratory.save();
});
beforeEach(() => laboratory.restore(renewed));
afterAll(() => laboratory.close());

const order = (way: string) =>
  laboratory.invoke({ job: 'revoke', event: { token: 'telegraf', way, reason: 'leaked' } });

/** The tokens for whose state a person answers, and those that an order took. */
const marked = () => {
  const { exempt, ordered } = laboratory.history;
  return { exempt: Object.keys(exempt), ordered: Object.keys(ordered) };
};

test('an order answers for nothing that a person took before it', async () => {
  const { AWSPREVIOUS = '' } = laboratory.world.holders(SECRET);
  await acts['deletes the previous token']?.(laboratory.world);
  await order('lift');
  expect(marked()).toEqual({ exempt: [AWSPREVIOUS], ordered: [] });
});

test('an order answers for what it froze', async () => {
  const { AWSCURRENT = '' } = laboratory.world.holders(SECRET);
  await order('freeze');
  expect(marked().ordered).toContain(AWSCURRENT);
});

test('nobody answers for what has been given back, once it works', async () => {
  await order('freeze');
  await order('unfreeze');
  await laboratory.world.wait(MINUTE);
  await laboratory.invoke({ job: 'rotate' });
  expect(marked()).toEqual({ exempt: [], ordered: [] });
});

/** An order about a secret takes a token's permissions, whatever it was asked. */
function orderStrips(id: string, meant: string) {
  const { world, history, view, terms } = laboratory;
  const before = view();
  const { cluster } = world;
  const token = cluster.state.tokens.find((each) => each.id === id);
  Object.assign(token ?? {}, { permissions: [] });
  const call = { server: 'management-api', operation: 'PATCH /tokens/{id}', caller: 'revoke-1' };
  note(
    history,
    {
      call: call as Step['call'],
      isOrdered: true,
      meant: new Set([meant]),
      reply: { status: 200, body: '' },
      ...{ before, after: viewOf(cluster.state, world.aws.state, world.clock.now()) },
    },
    terms,
  );
}

test.each([
  ['what it was about', SECRET, true],
  ['nothing else', 'keyturn/prod/grafana', false],
])('an order is an excuse for %s', (_what, meant, isExcused) => {
  const { AWSCURRENT = '' } = laboratory.world.holders(SECRET);
  orderStrips(AWSCURRENT, meant);
  const { exempt, ordered } = marked();
  expect(exempt.includes(AWSCURRENT)).toBe(isExcused);
  expect(ordered.includes(AWSCURRENT)).toBe(isExcused);
});

test('a hold alone makes nobody answer for a token that works', async () => {
  await acts['freezes the secret']?.(laboratory.world);
  expect(marked()).toEqual({ exempt: [], ordered: [] });
});

test('what a run gave under a hold is noted until the run has taken it back', async () => {
  const { world } = laboratory;
  const noted: string[][] = [];
  let isHeld = false;
  const freezeBehindTheLook: Interceptor = async (call, effect) => {
    const isArming = call.operation === 'PATCH /tokens/{id}' && call.caller !== undefined;
    if (isArming && !isHeld) {
      isHeld = true;
      await world.beside(call, async () => acts['freezes the secret']?.(world));
    }
    const reply = effect();
    if (isArming) noted.push(Object.keys(laboratory.history.givenUnderHold));
    return reply;
  };
  world.intercept(freezeBehindTheLook);
  await laboratory.invoke({ job: 'rotate', event: { tokens: ['telegraf'], force: true } });
  world.intercept();
  const { AWSPENDING } = world.holders(SECRET);
  expect(noted).toEqual([[AWSPENDING], []]);
});
