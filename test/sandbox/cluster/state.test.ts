import { expect, test } from 'vitest';
import { bearer, start } from './fixture.ts';

const READ = { action: 'read', resource: 'db' };

test('a snapshot is a copy from which the same state can be restored many times', async () => {
  const { cluster, manage, mint, write } = await start();
  await manage('POST', '/databases', { name: 'db' });
  const { accessToken, id } = await mint([READ, { action: 'write', resource: 'db' }]);
  await write('/write?db=db', 'cpu value=1i 1', bearer(accessToken));
  const saved = cluster.snapshot();

  for (let round = 0; round < 2; round += 1) {
    await manage('DELETE', `/tokens/${id}`);
    await manage('DELETE', '/databases/db');
    await manage('POST', '/databases', { name: 'other' });
    expect(cluster.accepts(accessToken, 'read', 'db')).toBe(false);
    cluster.restore(saved);
    expect(cluster.state).toEqual(saved);
    expect(cluster.accepts(accessToken, 'read', 'db')).toBe(true);
  }
});

test('the management token can be chosen, and the address is a loopback one', async () => {
  const { cluster, manage } = await start({ managementToken: 'M.V1.chosen' });
  expect(cluster.managementToken).toBe('M.V1.chosen');
  expect((await manage('GET', '/tokens')).status).toBe(200);
  expect(new URL(cluster.url).hostname).toBe('127.0.0.1');
});

test('ten thousand tokens are listed whole', async () => {
  const { cluster, manage, mint } = await start();
  await mint([READ]);
  const [token] = cluster.state.tokens;
  for (let count = 1; count < 10_000; count += 1)
    cluster.state.tokens.push(structuredClone(token!));
  expect((await manage('GET', '/tokens')).json).toHaveLength(10_000);
});
