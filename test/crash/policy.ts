export const OWNER = 'demo';
export const SECRET = 'keyturn/demo/telegraf';

/** What the one entry grants; one grant, so that probes come in one order. */
export const GRANTS = [{ action: 'write', resource: 'metrics' }] as const;

/** Short lives, so that little time has to pass. */
export const lives = {
  rotateEvery: '2d',
  gracePeriod: '1h',
  renewBefore: '6h',
  quarantine: '1h',
  expiresAfter: '4d',
};

export const policyWith = (tokens: object, more: object = {}) => ({
  owner: OWNER,
  defaults: lives,
  limits: { percent: 30, tokens: 1 },
  databases: [{ name: 'metrics' }, { name: 'events' }],
  tokens,
  ...more,
});

export const policy = policyWith({ telegraf: { permissions: { write: ['metrics'] } } });

/** The same entry, which may write to one more database. */
export const wider = policyWith({ telegraf: { permissions: { write: ['metrics', 'events'] } } });

/** The entry is gone, and another one came. */
export const removed = policyWith(
  { grafana: { permissions: { write: ['metrics'] } } },
  { onRemoval: 'retire' },
);

/** The entry takes over a token and its secret: the whole text is its string, or the text under a key. */
export const adopting = (tokenId: string, key?: string) =>
  policyWith({
    telegraf: { permissions: { write: ['metrics'] }, adopt: { tokenId, ...(key && { key }) } },
  });

/** It lets expired tokens of others be deleted. */
export const tidying = { ...policy, expiredForeignTokens: 'delete' };
