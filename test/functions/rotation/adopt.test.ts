import { expect, test } from 'vitest';
import { DAY, policy, type Run, startRun, writer } from '../run/run.ts';

const NAME = 'legacy/telegraf';

async function legacy(run: Run, shape: (token: string) => string, grants = writer.permissions) {
  const permissions = grants.write.map((resource) => ({ action: 'write', resource }));
  const made = await run.manage('POST', '/tokens', {
    description: 'made by hand',
    permissions,
    expiresAt: '2027-03-02T12:00:00Z',
  });
  await run.secrets.createSecret({ Name: NAME, SecretString: shape(made.accessToken) });
  return made as { readonly id: string; readonly accessToken: string };
}

const adopting = (tokenId: string, key?: string) =>
  policy({ telegraf: { ...writer, secret: NAME, adopt: { tokenId, ...(key && { key }) } } });

const empty = policy({ other: writer });

test('takes over a secret that is a plain string, and keeps it one', async () => {
  const run = await startRun(empty);
  const old = await legacy(run, (token) => token);
  const keyturn = run.deploy(adopting(old.id));
  expect(await keyturn.rotate()).toMatchObject({
    result: { outcomes: [{ action: { reason: 'Adopted', tokenId: old.id }, result: 'done' }] },
  });
  const labels = run.labels(NAME);
  expect(run.tokens()).toEqual([
    {
      id: old.id,
      text: 'made by hand',
      permissions: [{ action: 'write', resource: 'telemetry' }],
      marker: expect.objectContaining({ owner: 'prod', secret: NAME, version: labels.AWSCURRENT }),
    },
  ]);
  expect((await keyturn.rotate()).result.plan.actions).toEqual([]);
  await keyturn.reap();
  expect(run.tokens()).toHaveLength(1);
  expect(await run.current(NAME)).toBe(old.accessToken);

  await keyturn.rotate({ tokens: ['telegraf'], force: true });
  const next = await run.current(NAME);
  expect(next).toMatch(/^apiv1_/);
  expect(run.sandbox.cluster.accepts(next, 'write', 'telemetry')).toBe(true);
  expect(run.labels(NAME).AWSPREVIOUS).toBe(labels.AWSCURRENT);
  expect(run.tokens().find(({ id }) => id === old.id)?.marker?.superseded).toBeGreaterThan(0);
});

test('changes the named key alone of a secret that is JSON', async () => {
  const run = await startRun(empty);
  const old = await legacy(run, (token) =>
    JSON.stringify({ host: 'influx', port: 8181, credentials: token, extra: { a: [1] } }),
  );
  const keyturn = run.deploy(adopting(old.id, 'credentials'));
  await keyturn.rotate();
  expect(run.tokens()).toHaveLength(1);
  await run.wait(31 * DAY);
  const { result } = await keyturn.rotate();
  expect(result.outcomes).toMatchObject([{ action: { reason: 'Due' }, result: 'done' }]);
  const value = JSON.parse(await run.current(NAME));
  expect(value).toEqual({
    host: 'influx',
    port: 8181,
    credentials: expect.stringMatching(/^apiv1_/),
    extra: { a: [1] },
  });
  expect(value.credentials).not.toBe(old.accessToken);
  expect(run.sandbox.cluster.accepts(value.credentials, 'write', 'telemetry')).toBe(true);
});

test('takes over a token of any age without a rotation before rotateEvery has passed', async () => {
  const run = await startRun(empty);
  const old = await legacy(run, (token) => token);
  await run.wait(200 * DAY);
  const keyturn = run.deploy(adopting(old.id));
  await keyturn.rotate();
  await run.wait(26 * DAY);
  expect((await keyturn.rotate()).result.plan.actions).toEqual([]);
  await run.wait(4 * DAY);
  expect((await keyturn.rotate()).result.outcomes).toMatchObject([
    { action: { reason: 'Due' }, result: 'done' },
  ]);
});

test('retires what it adopted as anything else', async () => {
  const run = await startRun(empty);
  const old = await legacy(run, (token) => token);
  const keyturn = run.deploy(adopting(old.id));
  await keyturn.rotate();
  await keyturn.rotate({ tokens: ['telegraf'], force: true });
  const seen = new Set<string>();
  for (let day = 0; day < 12; day += 1) {
    await run.wait(DAY);
    const { result } = await keyturn.reap();
    for (const { action } of result.outcomes) seen.add(action.kind);
  }
  expect([...seen]).toEqual(['fence', 'quarantine', 'delete']);
  expect(run.tokens().map(({ id }) => id)).toEqual([run.labels(NAME).AWSCURRENT]);
});

test.each([
  ['the string is not the token that the entry names', (_: string) => 'apiv1_somethingElse'],
  ['the secret is no JSON object', (token: string) => token],
  ['the JSON has no such key', (token: string) => JSON.stringify({ other: token })],
])('adopts nothing where %s', async (what, shape) => {
  const run = await startRun(empty);
  const old = await legacy(run, shape);
  const key = what.includes('JSON') ? 'credentials' : undefined;
  const { error } = await run.deploy(adopting(old.id, key)).rotate();
  expect(error?.errorType).toBe('ApplyError');
  expect(error?.errorMessage).toMatch(/adopt telegraf|AdoptionError|SecretShapeError/);
  expect(JSON.stringify(error)).not.toContain(await run.current(NAME));
  expect(run.tokens()).toMatchObject([{ text: 'made by hand', marker: undefined }]);
});
