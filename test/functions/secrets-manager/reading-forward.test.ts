import { expect, test } from 'vitest';
import { readingForward } from '../../../functions/secrets-manager/reading-forward.ts';
import type { Secret } from '../../../functions/secrets-manager/secret.ts';
import type { Secrets } from '../../../functions/secrets-manager/secrets.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { id, type Labels, NOW, SECOND, secretOf, TELEGRAF, version } from '../builders.ts';
import { fakeTiming } from '../fake-timing.ts';

const value = new TokenValue('apiv1_theStringItself');

/** Secrets Manager whose next descriptions are these; the last one stays. */
function reading(...descriptions: readonly (Secret | undefined)[]) {
  const timing = fakeTiming(NOW);
  const answers = [...descriptions];
  const done = () => Promise.resolve();
  const describe = () => Promise.resolve(answers.length > 1 ? answers.shift() : answers[0]);
  const secrets = { describe, put: done, moveLabel: done } as unknown as Secrets;
  return { secrets: readingForward(secrets, timing), naps: timing.naps };
}

const at = (seconds: number, labels: Labels = { AWSCURRENT: 1 }) =>
  secretOf(labels, { changedAt: NOW + seconds * SECOND });

test('reads a description again that is older than one before', async () => {
  const { secrets, naps } = reading(at(5), at(4), at(4), at(6));
  expect(await secrets.describe(TELEGRAF)).toEqual(at(5));
  expect(naps).toEqual([]);
  expect(await secrets.describe(TELEGRAF)).toEqual(at(6));
  expect(naps).toEqual([1_000, 2_000]);
});

test('takes a description that is as old as the one before as it is', async () => {
  const { secrets, naps } = reading(at(5));
  for (let n = 0; n < 2; n += 1) expect(await secrets.describe(TELEGRAF)).toEqual(at(5));
  expect(naps).toEqual([]);
});

test('reads a description again that lacks the version which this run has put', async () => {
  const put = at(0, { AWSCURRENT: 1, AWSPENDING: 2 });
  const { secrets, naps } = reading(at(0), put);
  await secrets.put(TELEGRAF, version(2), value, 'AWSPENDING');
  expect(await secrets.describe(TELEGRAF)).toEqual(put);
  expect(naps).toEqual([1_000]);
});

test('lacks nothing after it has taken the label off again, nor in another secret', async () => {
  const { secrets, naps } = reading(at(0));
  await secrets.put('keyturn/prod/grafana', version(3), value, 'AWSPENDING');
  await secrets.put(TELEGRAF, version(2), value, 'AWSPENDING');
  await secrets.moveLabel(TELEGRAF, 'AWSPENDING', { from: id(9) });
  await secrets.moveLabel(TELEGRAF, 'AWSPENDING', { from: version(2) });
  expect(await secrets.describe(TELEGRAF)).toEqual(at(0));
  expect(naps).toEqual([]);
});

test('still looks for its version after it has taken a label off another one', async () => {
  const put = at(0, { AWSCURRENT: 1, AWSPENDING: 2 });
  const { secrets, naps } = reading(at(0), put);
  await secrets.put(TELEGRAF, version(2), value, 'AWSPENDING');
  await secrets.moveLabel(TELEGRAF, 'AWSPREVIOUS', { from: version(9) });
  expect(await secrets.describe(TELEGRAF)).toEqual(put);
  expect(naps).toEqual([1_000]);
});

test('still looks for its version after somebody moved another label', async () => {
  const { secrets, naps } = reading(at(0), at(0, { AWSCURRENT: 2 }));
  await secrets.put(TELEGRAF, version(2), value, 'AWSPENDING');
  await secrets.moveLabel(TELEGRAF, 'AWSCURRENT', { to: version(2), from: version(1) });
  expect((await secrets.describe(TELEGRAF))?.labels).toEqual({ AWSCURRENT: version(2) });
  expect(naps).toEqual([1_000]);
});

test('gives up after 15 seconds: somebody may have removed the label', async () => {
  const { secrets, naps } = reading(at(0));
  await secrets.put(TELEGRAF, version(2), value, 'AWSPENDING');
  expect(await secrets.describe(TELEGRAF)).toEqual(at(0));
  expect(naps).toEqual([1_000, 2_000, 4_000, 8_000]);
});

test('waits for no secret that is not there', async () => {
  const { secrets, naps } = reading(undefined);
  await secrets.put(TELEGRAF, version(2), value, 'AWSPENDING');
  expect(await secrets.describe(TELEGRAF)).toBeUndefined();
  expect(naps).toEqual([]);
});

/** Secrets Manager whose next values are these; the last one stays. */
function valued(...values: readonly (TokenValue | undefined)[]) {
  const timing = fakeTiming(NOW);
  const answers = [...values];
  const read = () => Promise.resolve(answers.length > 1 ? answers.shift() : answers[0]);
  const secrets = { value: read } as unknown as Secrets;
  return { secrets: readingForward(secrets, timing), naps: timing.naps };
}

test('reads a value again that is not found', async () => {
  const { secrets, naps } = valued(undefined, undefined, value);
  expect(await secrets.value(TELEGRAF, version(1))).toBe(value);
  expect(naps).toEqual([1_000, 2_000]);
});

test('takes a version for empty after 15 seconds, and waits for it no more', async () => {
  const { secrets, naps } = valued(undefined);
  for (let n = 0; n < 2; n += 1) expect(await secrets.value(TELEGRAF, id(1))).toBeUndefined();
  expect(naps).toEqual([1_000, 2_000, 4_000, 8_000]);
});

test.each(['list', 'describe'] as const)(
  'waits for a value while its secret, by %s, was changed in the last five minutes, and asks only once more after that',
  async (seenBy) => {
    for (const [minutes, naps] of [
      [4, 4],
      [6, 1],
    ] as const) {
      const timing = fakeTiming(NOW);
      const secret = at(-60 * minutes);
      const secrets = readingForward(
        {
          list: () => Promise.resolve([secret]),
          describe: () => Promise.resolve(secret),
          value: () => Promise.resolve(undefined),
        } as unknown as Secrets,
        timing,
      );
      await secrets[seenBy](TELEGRAF);
      await secrets.value(TELEGRAF, version(1));
      expect(timing.naps).toHaveLength(naps);
    }
  },
);

/** Secrets Manager whose next reads of any value find these; the last one stays. */
function readingValues(...found: readonly (TokenValue | undefined)[]) {
  const answers = [...found];
  let reads = 0;
  const secrets = {
    value: () => {
      reads += 1;
      return Promise.resolve(answers.length > 1 ? answers.shift() : answers[0]);
    },
  } as unknown as Secrets;
  return { secrets: readingForward(secrets, fakeTiming(NOW)), reads: () => reads };
}

test('asks once for the value of a version, which nobody can change', async () => {
  const { secrets, reads } = readingValues(value, undefined);
  expect(await secrets.value(TELEGRAF, version(1))).toBe(value);
  expect(await secrets.value(TELEGRAF, version(1))).toBe(value);
  expect(reads()).toBe(1);
});

test('asks again for what a label names, and for another version, secret, or run', async () => {
  const other = new TokenValue('apiv1_anotherString');
  const { secrets } = readingValues(value, other);
  expect(await secrets.value(TELEGRAF)).toBe(value);
  expect(await secrets.value(TELEGRAF)).toBe(other);
  expect(await secrets.value(TELEGRAF, version(1))).toBe(other);
  const again = readingValues(value, other);
  expect(await again.secrets.value(TELEGRAF, version(1))).toBe(value);
  expect(await again.secrets.value(TELEGRAF, version(2))).toBe(other);
  expect(await again.secrets.value('keyturn/prod/grafana', version(1))).toBe(other);
});

test('a value that was missing is found later', async () => {
  const { secrets } = readingValues(undefined, undefined, undefined, undefined, undefined, value);
  expect(await secrets.value(TELEGRAF, version(1))).toBeUndefined();
  expect(await secrets.value(TELEGRAF, version(1))).toBe(value);
});
