import { expect, test } from 'vitest';
import { readPlanReport } from '../../bin/keyturn/answers.ts';
import { formatPlan } from '../../bin/keyturn/plan-text.ts';

const plain = (_format: unknown, text: string) => text;
const report = (action: object) => ({
  plan: {
    job: 'enforce',
    hash: '0123456789abcdef',
    actions: [action],
    findings: [],
    limit: { counted: 0, allowed: 3 },
  },
});
const shown = (action: object) =>
  formatPlan(readPlanReport(report(action)), 'keyturn apply', plain as never);
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

test('shows a kind that it does not know by its name', () => {
  expect(shown({ kind: 'bury', reason: 'Old', secret: 'keyturn/prod/x' })).toContain(
    'keyturn/prod/x: bury (Old)',
  );
  expect(shown({ kind: 'drop-database', reason: 'Old', database: 'x' })).toContain(
    'x: drop-database (Old)',
  );
});
