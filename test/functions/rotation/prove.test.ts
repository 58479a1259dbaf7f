import { expect, test } from 'vitest';
import type { Permission, Token } from '../../../functions/management-api/token.ts';
import type { Candidate } from '../../../functions/rotation/adoption-candidate.ts';
import { awaitProof } from '../../../functions/rotation/prove.ts';
import type { Tools } from '../../../functions/run/tools.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { ownedToken } from '../../../functions/tokens/observation.ts';
import { foreign, HOUR, MINUTE, NOW, policyOf, SECOND, secretOf, WRITE } from '../builders.ts';

const READ: Permission = { action: 'read', resource: 'telemetry' };
const marker = { owner: 'prod', secret: 'x', home: '0a1b2c3d', proving: NOW };

/** A run that has so long, on a cluster where the string is accepted from an instant on. */
function runFor(timeLeft: number, acceptedFrom: number, begunBefore = 0) {
  let now = NOW + begunBefore;
  let token: Token = foreign(1, { permissions: [...WRITE, READ] });
  const candidate: Candidate = {
    secret: secretOf(),
    version: 'v',
    value: new TokenValue('apiv1_x'),
    owned: ownedToken(token, { marker, text: '' }),
  };
  const tools = {
    policy: policyOf({ activationTimeout: '5m' }),
    deadline: now + timeLeft,
    now: () => now,
    apiNow: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
    dataPlane: { probe: () => Promise.resolve(now >= acceptedFrom ? 'accepted' : 'refused') },
    api: {
      getToken: () => Promise.resolve(token),
      updateToken: (_id: string, change: Partial<Token>) => {
        token = { ...token, ...change };
        return Promise.resolve(token);
      },
    },
  } as unknown as Tools;
  const ended = awaitProof(candidate, { permission: READ, since: NOW }, tools);
  return { ended, permissions: () => token.permissions };
}

test('goes on until the cluster has learnt', async () => {
  const { ended } = runFor(HOUR, NOW + 4 * MINUTE);
  expect(await ended).toBe('seen');
});

test('a run that ends sooner leaves the proof to the next one, which goes on', async () => {
  const first = runFor(2 * MINUTE, NOW + 4 * MINUTE);
  expect(await first.ended).toBe('postponed');
  expect(first.permissions()).toContainEqual(READ);
  expect(await runFor(2 * MINUTE, NOW + 4 * MINUTE, 3 * MINUTE).ended).toBe('seen');
});

test('looks once more after the time is over, and then takes the permission away', async () => {
  expect(await runFor(MINUTE, NOW + 20 * MINUTE, 20 * MINUTE).ended).toBe('seen');
  const late = runFor(MINUTE, NOW + 20 * MINUTE, 20 * MINUTE - SECOND);
  await expect(late.ended).rejects.toThrow('it is another token’s');
  expect(late.permissions()).toEqual(WRITE);
});
