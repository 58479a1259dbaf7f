import { expect, test } from 'vitest';
import type { Revocation } from '../../bin/keyturn/answers.ts';
import { formatRevocation } from '../../bin/keyturn/revocation-text.ts';
import { NO_OTHER, NO_STRING } from '../../functions/revocation/report.ts';

/** What the last sentence about an order advises, by the reasons why it is not proven. */

const plan = {
  tokens: [],
  databases: [],
  secrets: ['keyturn/prod/telegraf'],
  actions: [],
  warnings: [],
  notReached: [],
  hash: '0123456789abcdef',
};

const reportOf = (way: string, rows: readonly string[], beside: readonly string[]): Revocation => ({
  way,
  dryRun: false,
  done: true,
  confirmed: false,
  unconfirmed: [...beside],
  plan,
  tokens: rows.map((unconfirmed) => ({ tokenId: 'a', result: 'deleted', unconfirmed })),
});

const adviceOn = (rows: readonly string[], beside: readonly string[] = [], way = 'delete') =>
  formatRevocation(reportOf(way, rows, beside), (_format, text) => text)
    .split('\n')
    .at(-1);

const noControl = `the cluster refuses it, but ${NO_OTHER} that may write, so the refusal shows nothing`;
const late = 'keyturn/prod/grafana could not be looked at (timeout): its strings may work';
const cut = 'the listing of tokens is cut: … no label names may be left out; give the order again';

test.each([
  ['the cluster still accepts its string', []],
  ['it was not seen refused in time: POST /api/v2/write answered 503', []],
  [NO_STRING, [late]],
  [noControl, [cut]],
  [noControl, [late]],
])('advises to repeat an order that this may prove: %j, %j', (row, beside) => {
  expect(adviceOn([row], beside)).toContain('Repeat the same command');
});

test.each([
  [NO_STRING, 'Nobody knows the string'],
  ['version a of b, which had its string, is gone', 'To repeat the command does not help'],
])('advises to look by hand where no order proves it: %j', (row, words) => {
  const advice = adviceOn([row]);
  expect(advice).toContain(words);
  expect(advice).toContain('docs/runbook.md');
  expect(advice).not.toContain('Repeat the same command');
});

test('advises to repeat what another string must be compared with once there is one', () => {
  const advice = adviceOn([noControl]);
  expect(advice).toContain('Repeat the same command as soon as another string does the same');
  expect(advice).toContain('docs/runbook.md');
});

test.each([
  'it is gone, and consumers read its string; to mint another one, keyturn rotate telegraf',
  'it is frozen; unfreeze it',
  'its permissions were not kept, and no entry of the policy says them; replace it',
])('leads to what does help where something is not given back: %j', (row) => {
  const advice = adviceOn([row], [], 'unfreeze');
  expect(advice).toMatch(/does not help: what does, the lines above say\.$/);
});
