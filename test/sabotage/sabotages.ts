/** A rule of the product, taken out of its source. */
export interface Sabotage {
  /** For people, and for the command line. */
  readonly name: string;
  readonly file: string;
  /** What stands there, exactly once. */
  readonly rule: string;
  /** What stands there instead. */
  readonly instead: string;
}

const NO_COMPARE_AND_SET: Sabotage = {
  name: 'no compare-and-set',
  file: 'functions/rotation/promote.ts',
  rule: "    await secrets.moveLabel(secret, 'AWSCURRENT', { to: version, ...(from && { from }) });\n",
  instead:
    "    const now = (await secrets.describe(secret))?.labels.AWSCURRENT;\n    await secrets.moveLabel(secret, 'AWSCURRENT', { to: version, ...(now && { from: now }) });\n",
};

/** Whole rules that the tests of `npm test` must miss at once. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'no probe',
    file: 'functions/rotation/promote.ts',
    rule: '  return verification;\n',
    instead: '  return { accepted: true };\n',
  },
  NO_COMPARE_AND_SET,
  {
    name: 'no second look',
    file: 'functions/reaping/look-again.ts',
    rule: '  const { api, policy } = tools;\n',
    instead:
      '  const first = observation.secrets.get(name);\n  if (first) return first;\n  const { api, policy } = tools;\n',
  },
  {
    name: 'clocks while unknown',
    file: 'functions/reaping/plan/decide-reaping.ts',
    rule: 'if ((unclear && !retire) || shared !== undefined)',
    instead: 'if (shared !== undefined)',
  },
  {
    name: 'limit off',
    file: 'functions/run/limits.ts',
    rule: '=> counted > allowed;',
    instead: '=> counted > allowed && counted < 0;',
  },
  {
    name: 'hold not read',
    file: 'functions/secrets-manager/hold.ts',
    rule: '  const tagged = taggedHold(secret);\n  if (tagged ===',
    instead: '  const tagged = undefined as Hold | undefined;\n  if (tagged ===',
  },
  {
    name: 'redactor off',
    file: 'functions/runtime.ts',
    rule: '(text) => inSource(held.redact(redact(text)))',
    instead: '(text) => (held && redact && inSource(text))',
  },
  {
    name: 'session token dropped',
    file: 'functions/environment-credentials.ts',
    rule: ', ...(sessionToken && { sessionToken }) }',
    instead: ' }',
  },
  {
    name: 'deadline ignored',
    file: 'functions/runtime.ts',
    rule: 'deadline: () => deadlines.getStore()?.at ?? 0 }',
    instead: 'deadline: () => Number.POSITIVE_INFINITY }',
  },
  {
    name: 'order forgotten',
    file: 'functions/revocation/replace-current.ts',
    rule: 'replaces: replacedBy(seen), order: order.id }',
    instead: 'replaces: replacedBy(seen) }',
  },
];

/** Rules of nine kinds that the lives of `npm run soak` must miss. */
export const PLANTED: readonly Sabotage[] = [
  NO_COMPARE_AND_SET,
  {
    name: 'late labels believed',
    file: 'functions/tokens/state.ts',
    rule: 'promoted !== undefined && promoted < seen.secret.changedAt;',
    instead: 'promoted !== undefined;',
  },
  {
    name: 'an eighth of the grace period',
    file: 'functions/tokens/state.ts',
    rule: '): number => Math.max((marker.grace ?? 0) * 1_000, gracePeriod);',
    instead: '): number => Math.max((marker.grace ?? 0) * 1_000, gracePeriod) / 8;',
  },
  {
    name: 'an unknown string works',
    file: 'functions/rotation/plan/entry-condition.ts',
    rule: "  unknown: 'unknown',\n",
    instead: "  unknown: 'works',\n",
  },
  {
    name: 'hold not read after arming',
    file: 'functions/tokens/under-hold.ts',
    rule: '  if (armed.length === 0) return {};\n',
    instead: '  if (armed.length >= 0) return {};\n',
  },
  {
    name: "a newer version's marker is foreign",
    file: 'functions/tokens/marker.ts',
    rule: '      others.push(field);\n      continue;\n',
    instead: '      return undefined;\n',
  },
  {
    name: 'a frozen token is deleted',
    file: 'functions/reaping/plan/decide-reaping.ts',
    rule: "  if (hold === 'deleted') return { kind: 'delete', reason: 'HoldDeleted' };\n",
    instead: "  if (hold) return { kind: 'delete', reason: 'HoldDeleted' };\n",
  },
  {
    name: 'windows ignored',
    file: 'functions/rotation/plan/decide-pending.ts',
    rule: '  about.entry.windows.length > 0 && ',
    instead: '  about.entry.windows.length < 0 && ',
  },
  {
    name: 'shortens without an approval',
    file: 'functions/enforcement/plan/rules.ts',
    rule: "  if (until === undefined) return 'the rule has no approval';\n",
    instead: '  if (until === undefined) return undefined;\n',
  },
];
