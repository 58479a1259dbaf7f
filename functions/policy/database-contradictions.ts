import type { DatabaseRule } from './database-rule.ts';
import { coversGlob, matchesGlob } from './glob.ts';
import { GOVERNED_FIELDS, governedFields } from './governed-fields.ts';
import type { PolicyIssue } from './policy-error.ts';

const WILDCARD = /[*?]/;

/** What a rule is called by: its database's name, or its glob. */
const subjectOf = (rule: DatabaseRule) => ('name' in rule ? rule.name : rule.match);

/** Whether no name is left for a later rule. Several rules that do so together are not found out. */
function takesAllOf(earlier: DatabaseRule, later: DatabaseRule): boolean {
  const wanted = subjectOf(later);
  if ('name' in earlier) return earlier.name === wanted;
  return WILDCARD.test(wanted) && !('name' in later)
    ? coversGlob(earlier.match, wanted)
    : matchesGlob(earlier.match, wanted);
}

function unreachable(rule: DatabaseRule, earlier: readonly DatabaseRule[]): string | undefined {
  const index = earlier.findIndex((each) => takesAllOf(each, rule));
  const taker = earlier[index];
  if (!taker) return undefined;
  const subject = subjectOf(rule);
  return subjectOf(taker) === subject
    ? `${subject} has rule ${index + 1} already, and the first that matches wins; make them one`
    : `never applies: rule ${index + 1} (${subjectOf(taker)}) takes ${subject} first; put this one before it`;
}

function* contradictionsOf(
  rule: DatabaseRule,
  earlier: readonly DatabaseRule[],
): Generator<readonly [string, string]> {
  const taken = unreachable(rule, earlier);
  if (taken !== undefined) yield ['name' in rule ? 'name' : 'match', taken];
  for (const field of governedFields) {
    const wanted = rule[field];
    if (typeof wanted !== 'object') continue;
    const { min, max } = wanted;
    if (min === undefined || max === undefined) continue;
    if (GOVERNED_FIELDS[field].compare(min, max) > 0) {
      yield [field, 'min keeps more than max allows'];
    }
  }
  const tables = 'name' in rule ? rule.tables.map(({ name }) => name) : [];
  const twice = tables.find((name, index) => tables.indexOf(name) !== index);
  if (twice !== undefined) yield ['tables', `names ${twice} twice`];
}

/** Rules about databases that parse and still cannot be meant. */
export const databaseContradictions = (rules: readonly DatabaseRule[]): PolicyIssue[] =>
  rules.flatMap((rule, index) =>
    [...contradictionsOf(rule, rules.slice(0, index))].map(([key, message]) => ({
      path: ['databases', index, key],
      message,
    })),
  );
