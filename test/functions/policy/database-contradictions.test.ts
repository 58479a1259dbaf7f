import { expect, test } from 'vitest';
import { PolicyError } from '../../../functions/policy/policy-error.ts';
import { policyOf } from '../builders.ts';

const mistakesIn = (...databases: object[]): string[] => {
  try {
    policyOf({ databases });
  } catch (error) {
    if (error instanceof PolicyError) return error.message.split('\n');
    throw error;
  }
  return [];
};

test('an exact name stands before the glob that would take it', () => {
  expect(mistakesIn({ name: 'scratch-1' }, { match: 'scratch-*' }, { match: '*' })).toEqual([]);
});

test('a name has one rule', () => {
  expect(mistakesIn({ name: 'telemetry' }, { name: 'quality' }, { name: 'telemetry' })).toEqual([
    'databases[2].name: telemetry already has rule 1, and the first rule that matches is used; merge the two',
  ]);
  expect(mistakesIn({ match: 'a*' }, { match: 'a*' })).toEqual([
    'databases[1].match: a* already has rule 1, and the first rule that matches is used; merge the two',
  ]);
});

test('a rule that an earlier one leaves nothing to is told, with what to do', () => {
  expect(mistakesIn({ match: '*' }, { name: 'telemetry' }, { match: 'scratch-*' })).toEqual([
    'databases[1].name: is never used: rule 1 (*) matches telemetry first; put this rule before it',
    'databases[2].match: is never used: rule 1 (*) matches scratch-* first; put this rule before it',
  ]);
});

test('a glob without a wildcard is a name', () => {
  expect(mistakesIn({ name: 'telemetry' }, { match: 'telemetry' })).toHaveLength(1);
  expect(mistakesIn({ match: 'tele?etry' }, { match: 'telemetry' })).toHaveLength(1);
  expect(mistakesIn({ match: 'telemetry' }, { match: 'tele?etry' })).toEqual([]);
});

test('two globs that mean the same are one, in whatever order their wildcards stand', () => {
  expect(mistakesIn({ match: '?*' }, { match: '*?' })).toEqual([
    'databases[1].match: is never used: rule 1 (?*) matches *? first; put this rule before it',
  ]);
});

test('bounds leave room between them, infinite being the most', () => {
  expect(
    mistakesIn({
      match: 'a*',
      retention: { min: 'infinite', max: '30d' },
      maxTables: { min: 2, max: 1 },
    }),
  ).toEqual([
    'databases[0].retention: min is more than max',
    'databases[0].maxTables: min is more than max',
  ]);
  expect(mistakesIn({ match: 'a*', retention: { min: '30d', max: 'infinite' } })).toEqual([]);
  expect(mistakesIn({ match: 'a*', retention: { min: '30d', max: '30d' } })).toEqual([]);
});

test('a table is declared once', () => {
  expect(mistakesIn({ name: 'a', tables: [{ name: 'cpu' }, { name: 'cpu' }] })).toEqual([
    'databases[0].tables: names cpu twice',
  ]);
});
