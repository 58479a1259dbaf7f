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

/** Whole rules that the tests of `npm test` must miss at once. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'no probe',
    file: 'functions/rotation/promote.ts',
    rule: '  return verification;\n',
    instead: '  return { accepted: true };\n',
  },
  {
    name: 'no compare-and-set',
    file: 'functions/rotation/promote.ts',
    rule: "    await secrets.moveLabel(secret, 'AWSCURRENT', { to: version, ...(from && { from }) });\n",
    instead:
      "    const now = (await secrets.describe(secret))?.labels.AWSCURRENT;\n    await secrets.moveLabel(secret, 'AWSCURRENT', { to: version, ...(now && { from: now }) });\n",
  },
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
    rule: '(text) => held.redact(redact(text))',
    instead: '(text) => (held && redact && text)',
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
