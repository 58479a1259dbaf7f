import { expect, test } from 'vitest';
import { answering } from '../../world/faults.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** What forbids a successor is known before the first string is ended: above all that outsiders could read it. */
const LEGACY = 'legacy/telegraf';
const POLICY = policyWith({ telegraf: writer, grafana: writer });
const outsiders = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::444455556666:root' },
      Action: 'secretsmanager:GetSecretValue',
      Resource: '*',
    },
  ],
};
const order = { token: 'telegraf', reason: 'leaked', immediately: true };

/** Telegraf reads an adopted string, from a secret that people of another account may read. */
async function openAdopted() {
  const world = await openWorldForTest(POLICY);
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const { id, accessToken: string } = await world.people.mint({ description: 'old', permissions });
  await world.people.createSecret(LEGACY, string);
  const telegraf = { ...writer, secret: LEGACY, adopt: { tokenId: id } };
  const run = world.deploy(policyWith({ telegraf, grafana: writer }));
  expect((await run.rotate()).error).toBeUndefined();
  await world.wait(HOUR);
  return { world, run, id, string };
}

const works = (world: World, secret = TELEGRAF) => world.accepts(world.string(secret));

test.each([true, false])(
  'an order ends no string of a secret whose successor outsiders could read, and says so before it is confirmed (immediately: %s)',
  async (immediately) => {
    const { world, run, id, string } = await openAdopted();
    await world.people.share(LEGACY, outsiders);
    const planned = await run.revoke({ ...order, immediately, dryRun: true });
    expect(planned.result?.plan).toMatchObject({ actions: [], warnings: [expect.any(String)] });
    expect(planned.result?.plan.notReached).toEqual([
      {
        secret: LEGACY,
        reason: expect.stringMatching(
          /gets no token: its resource policy allows arn:aws:iam::444455556666:root.*to end its tokens now, .*\(--freeze\) or .*\(--delete\)/,
        ),
      },
    ]);
    const { error } = await run.revoke({ ...order, immediately });
    expect(error?.errorMessage).toContain(`${LEGACY} gets no token: its resource policy allows`);
    expect([world.accepts(string), world.holders(LEGACY)]).toEqual([true, { AWSCURRENT: id }]);
    expect((await run.revoke({ token: 'telegraf', way: 'freeze', reason: 'now' })).error).toBe(
      undefined,
    );
    expect(world.accepts(string)).toBe(false);
  },
);

test('the other secrets of such an order get their successors', async () => {
  const { world, run, string } = await openAdopted();
  await world.people.share(LEGACY, outsiders);
  const former = world.string('keyturn/prod/grafana');
  const event = { database: 'telemetry', reason: 'leaked', immediately: true };
  expect((await run.revoke(event)).error?.errorMessage).toContain('gets no token');
  expect([world.accepts(string), world.accepts(former)]).toEqual([true, false]);
  expect(works(world, 'keyturn/prod/grafana')).toBe(true);
});

test.each([true, false])(
  'a secret that had a token of ours gets its successor, whomever people let in later (hidden: %s)',
  async (hidesRevoked) => {
    const world = await openWorldForTest(POLICY);
    const run = world.deploy(POLICY);
    await run.rotate();
    await world.people.share(TELEGRAF, outsiders);
    world.cluster.manners = { hidesRevoked };
    const string = world.string(TELEGRAF);
    const { result } = await run.revoke(order);
    expect(result).toMatchObject({ done: true, confirmed: true });
    expect([world.accepts(string), works(world)]).toEqual([false, true]);
  },
);

test('nor is a string ended whose successor would find no place in the secret', async () => {
  const { world, run, string } = await openAdopted();
  await world.people.saveValue(LEGACY, JSON.stringify({ url: '', one: string, two: string }));
  await world.wait(HOUR);
  const planned = await run.revoke({ ...order, dryRun: true });
  expect(planned.result?.plan).toMatchObject({
    actions: [],
    notReached: [
      { secret: LEGACY, reason: expect.stringMatching(/^has its token string in another/) },
    ],
  });
  const { error } = await run.revoke(order);
  expect(error?.errorMessage).toContain(`${LEGACY} has its token string in another place`);
  expect(world.accepts(string)).toBe(true);
});

test('nor is a string ended whose secret holds bytes, which no successor can follow', async () => {
  const { world, run, string } = await openAdopted();
  await world.people.saveBytes(LEGACY, string);
  await world.wait(HOUR);
  const planned = await run.revoke({ ...order, dryRun: true });
  expect(planned.result?.plan).toMatchObject({ actions: [], notReached: [{ secret: LEGACY }] });
  expect((await run.revoke(order)).error?.errorMessage).toContain('binary');
  expect(world.accepts(string)).toBe(true);
});

test('an order to act at once ends the string of a secret about whose readers AWS does not answer', async () => {
  const { world, run, string } = await openAdopted();
  world.intercept(
    answering('GetResourcePolicy', {
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: '{"__type": "ThrottlingException", "Message": "Rate exceeded"}',
    }),
  );
  expect((await run.revoke({ ...order, dryRun: true })).result?.plan.notReached ?? []).toEqual([]);
  await run.revoke(order);
  expect(world.accepts(string)).toBe(false);
  world.intercept();
  const { result } = await run.revoke(order);
  expect(result).toMatchObject({ done: true });
  expect(works(world, LEGACY)).toBe(true);
});
