import { coversGlob } from './glob.ts';
import { GOVERNED_FIELDS, governedFields } from './governed-fields.ts';
import type { DatabaseRule } from './policy.ts';
import type { PolicyIssue } from './policy-error.ts';

/** A rule's database name, or its glob. */
const subjectOf = (rule: DatabaseRule) => ('name' in rule ? rule.name : rule.match);

/** Whether an earlier rule matches every name that a later one matches. Only one earlier rule is compared. */
function matchesAllOf(earlier: DatabaseRule, later: DatabaseRule): boolean {
  const subject = subjectOf(later);
  // A name is a glob without a wildcard.
  return 'name' in earlier ? earlier.name === subject : coversGlob(earlier.match, subject);
}

function unreachable(rule: DatabaseRule, earlier: readonly DatabaseRule[]): string | undefined {
  const index = earlier.findIndex((each) => matchesAllOf(each, rule));
  const first = earlier[index];
  if (!first) return undefined;
  const subject = subjectOf(rule);
  return subjectOf(first) === subject
    ? `${subject} already has rule ${index + 1}, and the first rule that matches is used; merge the two`
    : `is never used: rule ${index + 1} (${subjectOf(first)}) matches ${subject} first; put this rule before it`;
}

function* contradictionsOf(
  rule: DatabaseRule,
  earlier: readonly DatabaseRule[],
): Generator<readonly [string, string]> {
  const problem = unreachable(rule, earlier);
  if (problem !== undefined) yield ['name' in rule ? 'name' : 'match', problem];
  for (const field of governedFields) {
    const bounds = rule[field];
    if (typeof bounds !== 'object') continue;
    const { min, max } = bounds;
    if (min === undefined || max === undefined) continue;
    if (GOVERNED_FIELDS[field].compare(min, max) > 0) {
      yield [field, 'min is more than max'];
    }
  }
  const tables = 'name' in rule ? rule.tables.map(({ name }) => name) : [];
  const twice = tables.find((name, index) => tables.indexOf(name) !== index);
  if (twice !== undefined) yield ['tables', `names ${twice} twice`];
}

/** What is wrong in the rules about databases although every single value is valid. */
export const databaseContradictions = (rules: readonly DatabaseRule[]): PolicyIssue[] =>
  rules.flatMap((rule, index) =>
    [...contradictionsOf(rule, rules.slice(0, index))].map(([key, message]) => ({
      path: ['databases', index, key],
      message,
    })),
  );
