export const OWNER = 'demo';
export const SECRET = 'keyturn/demo/telegraf';

/** Short lives, so that little time has to pass; one grant, so that probes come in one order. */
export const policy = {
  owner: OWNER,
  defaults: {
    rotateEvery: '2d',
    gracePeriod: '1h',
    renewBefore: '6h',
    quarantine: '1h',
    expiresAfter: '4d',
  },
  limits: { percent: 30, tokens: 1 },
  databases: [{ name: 'metrics' }],
  tokens: { telegraf: { permissions: { write: ['metrics'] } } },
};
