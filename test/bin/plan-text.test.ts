import { expect, test } from 'vitest';
import { readPlanReport } from '../../bin/keyturn/answers.ts';
import { formatPlan } from '../../bin/keyturn/plan-text.ts';

const NOW = Date.UTC(2026, 2, 2, 12);
const plain = (_format: unknown, text: string) => text;
const report = (action: object, more: object = {}) => ({
  plan: {
    job: 'enforce',
    actions: [action],
    findings: [],
    limits: [],
    refusals: [],
    ...more,
  },
});
const shown = (action: object, more?: object) =>
  formatPlan(readPlanReport(report(action, more)), 'keyturn apply', plain as never, NOW);
const about = { database: 'telemetry', rule: 1, reason: 'Differs' };

test('words the actions about databases by itself', () => {
  const change = { ...about, kind: 'change', field: 'maxTables', from: 500, to: 400 };
  expect(shown(change)).toContain(
    '  maxTables telemetry 500 -> 400 (rule 1) (existing tables stay',
  );
});

test.each([
  ['an older one', { ...about, kind: 'create-database', text: 'create database telemetry' }],
  ['another field', { ...about, kind: 'change', field: 'maxRows', from: 1, to: 2 }],
])('says that it does not understand the answer of another version: %s', (_what, action) => {
  expect(() => shown(action)).toThrow(/^found an answer of another version/);
});

test('says in which Regions replicas are made', () => {
  const regions = ['eu-central-1', 'eu-north-1'];
  expect(shown({ kind: 'replicate', reason: 'ReplicaMissing', token: 'fleet', regions })).toContain(
    '  fleet: make the replicas of its secret in eu-central-1, eu-north-1\n    (ReplicaMissing)',
  );
});

test('shows a kind that it does not know by its name', () => {
  expect(shown({ kind: 'bury', reason: 'Old', secret: 'keyturn/prod/x' })).toContain(
    'keyturn/prod/x: bury (Old)',
  );
  expect(shown({ kind: 'drop-database', reason: 'Old', database: 'x' })).toContain(
    'x: drop-database (Old)',
  );
});

test('says before all else what the run fails for', () => {
  const failing = { kind: 'NotOurs', token: 'x', message: 'it is theirs', fails: true };
  const other = { kind: 'Held', token: 'y', message: 'on hold' };
  const rotation = { kind: 'rotate', token: 'telegraf', reason: 'Due' };
  const text = shown(rotation, { findings: [other, failing] });
  expect(text).toMatch(
    /^enforce: 1 to do, and the run fails for 1 entry\n {2}fails: x: it is theirs \[NotOurs\]\n/,
  );
  expect(text).toMatch(/\n {2}y: on hold \[Held\]$/);
});

test('says what counts, what waits, and how to approve exactly that', () => {
  const rotation = { kind: 'rotate', token: 'telegraf', reason: 'CurrentGone' };
  const limits = [
    { message: '1 tokens would be replaced; the limit is 3', counted: 1, allowed: 3 },
  ];
  expect(shown(rotation, { limits })).toMatch(
    /\(CurrentGone\)\n {2}1 tokens would be replaced; the limit is 3$/,
  );
  const refusal = { hash: '0123456789abcdef', message: 'too many', actions: [0] };
  expect(shown(rotation, { refusals: [refusal] })).toMatch(
    /\(CurrentGone\) \[waits\]\n {2}refused: too many\n {2}to apply exactly these 1 all the same:\n {4}keyturn apply --approve 0123456789abcdef$/,
  );
});
