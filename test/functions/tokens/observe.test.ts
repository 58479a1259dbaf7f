import { expect, test } from 'vitest';
import type { Token } from '../../../functions/management-api/token.ts';
import { ObservationError } from '../../../functions/run/api-time.ts';
import type { Secret } from '../../../functions/secrets-manager/secret.ts';
import { observe } from '../../../functions/tokens/observe.ts';
import {
  armed,
  fingerprint,
  foreign,
  HOUR,
  id,
  inert,
  MINUTE,
  NOW,
  observationOf,
  policyOf,
  secretOf,
  TELEGRAF,
  version,
} from '../builders.ts';

const POLICY = policyOf();

interface Systems {
  readonly secrets?: readonly Secret[];
  readonly listed?: readonly Token[];
  /** What `GET` by id knows beyond the listing. */
  readonly hidden?: readonly Token[];
  readonly now?: number;
}

function systems({ secrets = [], listed = [], hidden = [], now = NOW }: Systems) {
  const asked: string[] = [];
  const api = {
    listTokens: () => Promise.resolve({ tokens: listed, at: NOW }),
    getToken: (tokenId: string) => {
      asked.push(tokenId);
      return Promise.resolve([...listed, ...hidden].find((each) => each.id === tokenId));
    },
    listDatabases: () => Promise.reject(new Error('the databases cannot be read')),
  };
  const list = () => Promise.resolve([...secrets]);
  const versionTimes = (name: string) => {
    asked.push(`versions of ${name}`);
    return Promise.resolve(new Map([[id(70), NOW - HOUR]]));
  };
  return { asked, sources: { api, secrets: { list, versionTimes }, now: () => now } };
}

const look = (world: Systems) => observe(systems(world).sources, POLICY, {});

test('tells whose each token is, and what the labels hold, without asking for one by id', async () => {
  const secrets = [secretOf({ AWSCURRENT: 1, AWSPENDING: 2, AWSPREVIOUS: id(3) })];
  const listed = [armed(1), inert(2), armed(3), foreign(4), { ...armed(5), revokedAt: NOW }];
  const { asked, sources } = systems({ secrets, listed });
  const { revoked, listed: all, ...seen } = await observe(sources, POLICY, {});
  const wanted = observationOf({ secrets, tokens: listed });
  const ofSecret = { ...wanted.secrets.get(TELEGRAF), revoked: revoked?.get(TELEGRAF) };
  expect(seen).toEqual({ ...wanted, secrets: new Map([[TELEGRAF, ofSecret]]) });
  expect(all).toEqual(listed);
  expect(revoked?.get(TELEGRAF)).toMatchObject([{ token: { id: id(5) } }]);
  expect(asked).toEqual([]);
});

test.each([
  ['another deployment', armed(1, { marker: { owner: 'staging' } })],
  ['a secret that we do not have', armed(1, { name: 'keyturn/prod/other' })],
  ['a secret of the same name elsewhere', armed(1, { marker: { home: '00000000' } })],
  ['another token: a copied marker', armed(1, { marker: { id: id(9) } })],
  ['two markers', { ...armed(1), description: `${armed(1).description} ${armed(1).description}` }],
])('takes a token for foreign whose marker names %s', async (_, token) => {
  const seen = await look({ secrets: [secretOf({ AWSCURRENT: 1 })], listed: [token] });
  expect([...seen.foreign.keys()]).toEqual([id(1)]);
  expect(seen.secrets.get(TELEGRAF)?.holders.get(version(1))).toEqual({ state: 'foreign', token });
});

test('reads the strings under the three labels, where it may, and no other', async () => {
  const labels = { AWSCURRENT: id(70), AWSPREVIOUS: id(71), AWSPENDING: id(72), other: id(73) };
  const read: string[] = [];
  const readFingerprint = (secret: string, versionId: string) => {
    read.push(`${secret} ${versionId}`);
    return Promise.resolve(fingerprint(1));
  };
  const { sources } = systems({ secrets: [secretOf(labels)], listed: [armed(1)] });
  const seen = await observe(sources, POLICY, { readFingerprint });
  const saved = [70, 71, 72].map(id);
  expect(read).toEqual(saved.map((each) => `${TELEGRAF} ${each}`));
  const { holders } = seen.secrets.get(TELEGRAF) ?? {};
  expect([...(holders ?? [])].map(([versionId, { state }]) => [versionId, state])).toEqual(
    saved.map((each) => [each, 'owned']),
  );
});

test('asks when versions were made only of a secret that needs it', async () => {
  const grafana = 'keyturn/prod/grafana';
  const secrets = [secretOf({ AWSCURRENT: id(70) }), secretOf({}, { name: grafana })];
  const { asked, sources } = systems({ secrets });
  const seen = await observe(sources, POLICY, {
    needsTimes: ({ secret }) => secret.name === TELEGRAF,
  });
  expect(asked).toEqual([id(70), `versions of ${TELEGRAF}`]);
  expect([...seen.secrets.values()].map(({ versionTimes }) => versionTimes)).toEqual([
    new Map([[id(70), NOW - HOUR]]),
    undefined,
  ]);
});

test('asks by id for the tokens under the three labels that the listing lacks, and for no other', async () => {
  const secrets = [secretOf({ AWSCURRENT: 1, AWSPENDING: 2, AWSPREVIOUS: 3, other: 4 })];
  const { asked, sources } = systems({ secrets, hidden: [{ ...armed(1), revokedAt: NOW }] });
  const seen = await observe(sources, POLICY, {});
  expect(new Set(asked)).toEqual(new Set([id(1), id(2), id(3)]));
  expect(seen.secrets.get(TELEGRAF)?.holders).toEqual(
    new Map([1, 2, 3].map((n) => [version(n), { state: 'gone' }])),
  );
});

test('sees a token that was minted after the listing', async () => {
  const secrets = [secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })];
  const seen = await look({ secrets, listed: [armed(1)], hidden: [inert(2)] });
  expect(seen.secrets.get(TELEGRAF)?.holders.get(version(2))).toMatchObject({ state: 'owned' });
});

test('never asks the API for a version id that is no token id', async () => {
  const secrets = [
    secretOf({}, { labels: { AWSCURRENT: 'terraform-20260302120000000000000001' } }),
  ];
  const { asked, sources } = systems({ secrets });
  await observe(sources, POLICY, {});
  expect(asked).toEqual([]);
});

test.each([
  ['ours', armed(1)],
  ['of others', foreign(1)],
])('refuses a listing that left out a current token which is %s', async (_, token) => {
  const secrets = [secretOf({ AWSCURRENT: 1 })];
  const error = await look({ secrets, hidden: [token] }).catch((each) => each);
  expect(error).toBeInstanceOf(ObservationError);
  expect(error.message).toContain(
    `GET /tokens does not show ${id(1)}, the current token of ${TELEGRAF}`,
  );
});

test('refuses a listing that left out an adopted token, whose version bears another id', async () => {
  const policy = policyOf({}, { adopt: { tokenId: id(1) } });
  const secrets = [secretOf({ AWSCURRENT: id(7) })];
  const look = (hidden: readonly Token[]) =>
    observe(systems({ secrets, hidden }).sources, policy, {});
  await expect(look([armed(1, { marker: { version: [id(7)] } })])).rejects.toThrow(
    'the listing is incomplete',
  );
  for (const hidden of [[], [foreign(1)], [armed(1, { marker: { version: [id(6)] } })]]) {
    const seen = await look(hidden);
    expect(seen.secrets.get(TELEGRAF)?.holders.get(id(7))).toEqual({ state: 'unknown' });
  }
});

test('bears a skew of five minutes, and not of a second more', async () => {
  const skewed = (by: number) => look({ now: NOW + by });
  expect((await skewed(5 * MINUTE)).skewMs).toBe(-5 * MINUTE);
  expect((await skewed(-5 * MINUTE)).skewMs).toBe(5 * MINUTE);
  const message = 'the clocks of the cluster and of this function differ by 301 s';
  await expect(skewed(5 * MINUTE + 1_000)).rejects.toThrow(message);
  await expect(skewed(-5 * MINUTE - 1_000)).rejects.toThrow(message);
});

test('takes a failed read for an error, never for an empty list', async () => {
  const { sources } = systems({});
  await expect(observe(sources, POLICY, { databases: true })).rejects.toThrow(
    'the databases cannot be read',
  );
  const failed = () => Promise.reject(new Error('no'));
  const secrets = { ...sources.secrets, list: failed };
  await expect(observe({ ...sources, secrets }, POLICY, {})).rejects.toThrow('no');
  const api = { ...sources.api, listTokens: failed };
  await expect(observe({ ...sources, api }, POLICY, {})).rejects.toThrow('no');
});

test('of very many secrets all are looked at, and never more than a thousand beside each other', async () => {
  const names = Array.from({ length: 2_500 }, (_, n) => `keyturn/prod/t${n}`);
  let [running, most] = [0, 0];
  const api = {
    listTokens: () => Promise.resolve({ tokens: [], at: NOW }),
    async getToken() {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      return undefined;
    },
    listDatabases: () => Promise.reject(new Error('the databases cannot be read')),
  };
  const secrets = {
    list: () =>
      Promise.resolve(
        names.map((name, n) => secretOf({ AWSCURRENT: n }, { name, changedAt: NOW - 2 * HOUR })),
      ),
    versionTimes: () => Promise.resolve(new Map<string, number>()),
  };
  const seen = await observe({ api, secrets, now: () => NOW }, POLICY, {});
  expect([...seen.secrets.keys()]).toEqual(names);
  expect([...seen.secrets.values()].every(({ holders }) => holders.size === 1)).toBe(true);
  expect(most).toBe(1_000);
});
