import { expect, test } from 'vitest';
import {
  type DatabaseStep,
  type Databases,
  differencesOf,
  lessenedBy,
  type SeenDatabase,
  wrongsOf,
} from './database-rules.ts';

const DAY_NS = 86_400_000_000_000n;
const AT = Date.UTC(2026, 5, 1, 12);
const metrics = { id: 1, name: 'metrics', retentionPeriod: 30n * DAY_NS };
const plain: SeenDatabase = { ...metrics, maxTables: 500, maxColumnsPerTable: 200 };
const all = (...databases: readonly SeenDatabase[]): Databases =>
  new Map(databases.map((each) => [each.id, each]));

/** What one call of `enforce` did to the one database there is. */
const step = (more: Partial<DatabaseStep>): DatabaseStep => ({
  ...{ job: 'enforce', rules: [], at: AT },
  ...{ looked: all(plain), before: all(plain), after: all(plain) },
  ...more,
});
const wrongs = (more: Partial<DatabaseStep>) => [...wrongsOf(step(more))];

test('what a rule declares may be corrected, and nothing else', () => {
  const rules = [{ name: 'metrics', maxTables: 100 }];
  const as = (change: object) => wrongs({ rules, after: all({ ...plain, ...change }) });
  expect(as({})).toEqual([]);
  expect(as({ maxTables: 100 })).toEqual([]);
  expect(as({ maxTables: 101 })).toHaveLength(1);
  expect(as({ maxColumnsPerTable: 100 })).toHaveLength(1);
  expect(as({ name: 'other' })).toHaveLength(1);
});

test('a database that no rule names, or whose rule only reports, is left alone', () => {
  const after = all({ ...plain, maxTables: 100 });
  expect(wrongs({ rules: [{ name: 'events', maxTables: 100 }], after })).toHaveLength(1);
  expect(wrongs({ rules: [{ match: 'met*', maxTables: 100 }], after })).toEqual([]);
  expect(
    wrongs({ rules: [{ name: 'metrics', maxTables: 100, mode: 'report' }], after }),
  ).toHaveLength(1);
});

test('no function but enforce touches one', () => {
  const rules = [{ name: 'metrics', maxTables: 100 }];
  const after = all({ ...plain, maxTables: 100 });
  expect(wrongs({ job: 'rotate', rules, after })).toHaveLength(1);
  expect(wrongs({ job: 'reap', rules, after: all() })).toHaveLength(1);
  expect(wrongs({ rules, after: all() })).toHaveLength(1);
});

test('retention is shortened while an approval is in force, and not by what a run saw before a person acted', () => {
  const after = all({ ...plain, retentionPeriod: 7n * DAY_NS });
  const rule = { name: 'metrics', retention: '7d' } as const;
  const until = (date: string) => [{ ...rule, approve: { shortenRetentionUntil: date } }];
  expect(wrongs({ rules: [rule], after })).toHaveLength(1);
  expect(wrongs({ rules: until('2026-05-31'), after })).toHaveLength(1);
  expect(wrongs({ rules: until('2026-06-01'), after })).toEqual([]);
  const endless = { ...plain, retentionPeriod: 0n };
  const ofEndless = { looked: all(endless), before: all(endless), after };
  expect(wrongs({ rules: [rule], ...ofEndless })).toHaveLength(1);
  // It saw an hour, and a person gave a month after that look.
  const looked = all({ ...plain, retentionPeriod: DAY_NS / 24n });
  expect(wrongs({ rules: [rule], looked, after })).toEqual([]);
});

test('only what is to be created is created', () => {
  const rules = [{ name: 'archive', ifMissing: 'create' }] as const;
  const made = (name: string) => all(plain, { ...plain, id: 2, name });
  expect(wrongs({ rules, after: made('archive') })).toEqual([]);
  expect(wrongs({ rules, after: made('other') })).toHaveLength(1);
  expect(wrongs({ rules: [{ name: 'archive' }], after: made('archive') })).toHaveLength(1);
  expect(wrongs({ job: 'reap', rules, after: made('archive') })).toHaveLength(1);
});

test('a database counts as left with less where retention was shortened or a limit lowered', () => {
  const of = (change: object) => lessenedBy(step({ after: all({ ...plain, ...change }) }));
  expect(of({ maxTables: 499 })).toEqual(['metrics']);
  expect(of({ retentionPeriod: 29n * DAY_NS })).toEqual(['metrics']);
  expect(of({ retentionPeriod: 0n, maxTables: 501 })).toEqual([]);
});

test('what a run ought to have corrected is told from what it leaves to people', () => {
  const of = (...rules: DatabaseStep['rules']) => {
    const { open, drifted } = differencesOf(rules, all(plain), AT);
    return [open.length, [...drifted]];
  };
  expect(of({ name: 'metrics', retention: '30d' })).toEqual([0, []]);
  expect(of({ name: 'metrics', retention: '90d', maxTables: 100 })).toEqual([2, []]);
  expect(of({ name: 'metrics', retention: '7d' })).toEqual([0, ['metrics']]);
  expect(of({ match: 'met*', retention: { min: '7d', max: '90d' } })).toEqual([0, []]);
  expect(of({ name: 'metrics', maxTables: 100, mode: 'report' })).toEqual([0, ['metrics']]);
  expect(of({ name: 'archive' })).toEqual([0, ['archive']]);
  expect(of({ name: 'archive', ifMissing: 'create' })).toEqual([1, []]);
});
