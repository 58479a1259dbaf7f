export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The secret of the entry that most policies in tests have. */
export const TELEGRAF = 'keyturn/prod/telegraf';

export const writer = { permissions: { write: ['telemetry'] } };

/** A policy document for a world with its usual two databases. */
export const policyWith = <Tokens extends object>(tokens: Tokens, more: object = {}) => ({
  owner: 'prod',
  databases: [{ name: 'telemetry' }, { name: 'quality' }],
  tokens,
  ...more,
});
