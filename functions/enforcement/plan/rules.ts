import { matchesGlob } from '../../policy/glob.ts';
import type { DatabaseRule, Policy } from '../../policy/policy.ts';

/** A rule, and its number in the policy's list; the first is 1. */
export interface NumberedRule<Rule = DatabaseRule> {
  readonly rule: Rule;
  readonly number: number;
}

/** The first rule that matches; the later ones are ignored. */
export function ruleOf(name: string, { databases }: Policy): NumberedRule | undefined {
  const index = databases.findIndex((rule) =>
    'name' in rule ? rule.name === name : matchesGlob(rule.match, name),
  );
  const rule = databases[index];
  return rule && { rule, number: index + 1 };
}

/** `2026-12-24`: the date of an instant in a time zone. */
function dateOf(instant: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(instant);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`;
}

/**
 * Why a rule may not shorten retention at this instant. Undefined: it may. An approval is in force until
 * the end of its date in the policy's time zone.
 */
export function whyNotShorten(
  { approve }: DatabaseRule,
  at: number,
  { timeZone }: Policy,
): string | undefined {
  const until = approve?.shortenRetentionUntil;
  if (until === undefined) return 'the rule has no approval';
  return dateOf(at, timeZone) <= until
    ? undefined
    : `its approval ended with ${until} (${timeZone})`;
}
