import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DatabaseAction } from '../../../../functions/enforcement/plan/database-action.ts';
import type { Database } from '../../../../functions/management-api/database.ts';
import {
  compareRetention,
  formatRetention,
  parseRetention,
} from '../../../../functions/policy/retention.ts';
import { databaseOf, planFor } from './enforcement.ts';

const HOUR_NS = 3_600_000_000_000n;
const INT64_MAX = 2n ** 63n - 1n;

const present = fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: INT64_MAX }));
const spelt = fc
  .oneof(fc.constant(0n), fc.bigInt({ min: HOUR_NS, max: INT64_MAX }))
  .map(formatRetention);
const limit = fc.integer({ min: 1, max: 2_147_483_647 });
/** The policy knows no more; a database may have been given any. */
const columnLimit = fc.integer({ min: 1, max: 1_000 });
const approve = fc.constantFrom(
  undefined,
  { shortenRetentionUntil: '2026-03-01' },
  { shortenRetentionUntil: '2026-03-02' }, // today
);
const given = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const exact = fc
  .record({
    name: fc.constantFrom('a', 'b', 'a/b'),
    retention: fc.option(spelt, { nil: undefined }),
    maxTables: fc.option(limit, { nil: undefined }),
    mode: fc.constantFrom('enforce', 'report'),
    approve,
  })
  .map(given);
const glob = fc
  .record({
    match: fc.constant('*'),
    retention: fc.tuple(spelt, spelt).map((both) => {
      const [min, max] = both.toSorted((a, b) =>
        compareRetention(parseRetention(a), parseRetention(b)),
      );
      return { min, max };
    }),
    maxColumnsPerTable: fc.option(
      columnLimit.map((max) => ({ max })),
      { nil: undefined },
    ),
    mode: fc.constantFrom('enforce', 'report'),
    approve,
  })
  .map(given);
const worlds = fc.record({
  rules: fc
    .tuple(fc.uniqueArray(exact, { selector: ({ name }) => name }), fc.option(glob))
    .map(([named, last]) => (last ? [...named, last] : named)),
  databases: fc.uniqueArray(
    fc
      .tuple(fc.constantFrom('a', 'b', 'a/b', 'ß', 'c'), present, limit, limit)
      .map(([name, retentionPeriod, maxTables, maxColumnsPerTable]) =>
        databaseOf(name, { retentionPeriod, maxTables, maxColumnsPerTable }),
      ),
    { selector: ({ name }) => name },
  ),
});

const written = (action: DatabaseAction): Partial<Database> => {
  if (action.kind !== 'change') return {};
  return action.field === 'retention'
    ? { retentionPeriod: parseRetention(String(action.to)) }
    : { [action.field]: action.to };
};

const applied = (databases: readonly Database[], actions: readonly DatabaseAction[]) =>
  databases.map((database): Database => {
    const its = actions.filter((action) => action.database === database.name);
    return Object.assign({ ...database }, ...its.map(written));
  });

test('shortens nothing but under an approval in force, and nothing that no rule enforces', () => {
  fc.assert(
    fc.property(worlds, ({ rules, databases }) => {
      for (const action of planFor({ rules, databases }).actions) {
        const rule = rules[action.rule - 1] as Record<string, unknown>;
        expect(rule.mode).toBe('enforce');
        if (action.kind !== 'change' || action.field !== 'retention') continue;
        const [from, to] = [String(action.from), String(action.to)];
        if (compareRetention(parseRetention(to), parseRetention(from)) > 0) continue;
        expect(rule.approve).toEqual({ shortenRetentionUntil: '2026-03-02' });
      }
    }),
  );
});

test('has nothing left to do once it was applied, and goes on reporting the same', () => {
  fc.assert(
    fc.property(worlds, ({ rules, databases }) => {
      const { actions, findings } = planFor({ rules, databases });
      const next = planFor({ rules, databases: applied(databases, actions) });
      expect(next.actions).toEqual([]);
      expect(next.findings).toEqual(findings);
    }),
  );
});
