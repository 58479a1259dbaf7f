import { expect, test } from 'vitest';
import { entryStates } from '../../../../functions/rotation/plan/entry-state.ts';
import { measureTokens } from '../../../../functions/rotation/plan/measure-tokens.ts';
import { planRotation } from '../../../../functions/rotation/plan/plan-rotation.ts';
import { versionIdOf } from '../../../../functions/tokens/version-id.ts';
import { armed, HOUR, id, NOW, observationOf, policyOf, secretOf } from '../../builders.ts';

/** The same list; `read` is called whenever something is read of one of its items. */
const watched = <T extends object>(items: readonly T[], read: () => void): readonly T[] =>
  items.map(
    (item) =>
      new Proxy(item, {
        get(target, key) {
          read();
          return Reflect.get(target, key);
        },
      }),
  );

/** How much a plan, and the states of all entries, read of the entries and of the declared databases. */
function readsOf(tokens: number, databases: number) {
  const names = Array.from({ length: tokens }, (_, n) => `keyturn/prod/t${n}`);
  const policy = policyOf({
    databases: Array.from({ length: databases }, (_, n) => ({
      name: n === 0 ? 'telemetry' : `d${n}`,
    })),
    tokens: Object.fromEntries(
      names.map((_, n) => [`t${n}`, { permissions: { write: ['telemetry'] } }]),
    ),
  });
  const observation = observationOf({
    secrets: names.map((name, n) => secretOf({ AWSCURRENT: versionIdOf(id(n)) }, { name })),
    tokens: names.map((name, n) => armed(n, { name, age: HOUR })),
    at: NOW,
  });
  const reads = { entries: 0, databases: 0 };
  const counted = {
    ...policy,
    tokens: watched(policy.tokens, () => {
      reads.entries += 1;
    }),
    databases: watched(policy.databases, () => {
      reads.databases += 1;
    }),
  } as typeof policy;
  const learnt = { refused: new Set<string>(), thirdMs: 3 * HOUR, nextMs: HOUR };
  const plan = planRotation(counted, observation, { force: false }, learnt);
  const none = {
    mended: new Map(),
    unseen: new Set<string>(),
    armed: new Map(),
    unadopted: new Map(),
    held: new Map(),
  };
  measureTokens(counted, observation, entryStates(counted, observation, none, learnt));
  expect(plan).toMatchObject({ actions: [], findings: [] });
  return reads;
}

test('of each entry a run reads as much, however many there are', () => {
  const [few, many] = [readsOf(50, 1), readsOf(500, 1)];
  expect(many.entries).toBe(10 * few.entries);
});

test('the declared databases are read as often, however many tokens there are', () => {
  const [few, many] = [readsOf(5, 100), readsOf(500, 100)];
  expect(many.databases).toBe(few.databases);
});
