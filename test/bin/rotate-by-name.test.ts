import { expect, it } from 'vitest';
import { openDeployed } from './operator.ts';

it('waits for a first token that the cluster refuses, and says nothing else when it is repeated', async () => {
  const { world, run } = await openDeployed({ activationTimeout: '60s' });
  let runs = 0;
  world.intercept(async (call, effect) => {
    if (call.operation === 'ListSecrets') runs += 1;
    return call.server === 'data-plane' && runs < 4 ? { status: 401, body: '' } : await effect();
  });
  const first = await run(['rotate', 'telegraf']);
  expect(first.stdout).toMatch(/^armed {2}rotate telegraf\ntelegraf: armed, .* --wait waits/);
  const second = await run(['rotate', 'telegraf']);
  expect(second.stdout).toMatch(/^armed {2}verify telegraf\ntelegraf: armed, .* --wait waits/);
  expect((await run(['status'])).stdout).toMatch(/telegraf +was not accepted in time/);
  const waited = await run(['rotate', 'telegraf', '--wait']);
  expect(waited).toMatchObject({ code: 0, stdout: 'done  verify telegraf\n' });
  expect((await run(['status'])).stdout).toMatch(/telegraf +works/);
});
