import { expect, test } from 'vitest';
import { INSTANT } from '../../world/marker.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { World } from '../../world/world.ts';

/** A world with its one token issued. */
async function openIssued(): Promise<World> {
  const world = await openWorldForTest(policyWith({ telegraf: writer }));
  await world.rotate();
  return world;
}

const rotationOf = ({ aws }: World) => aws.state.secrets[TELEGRAF]?.rotation;
const markersOf = (world: World): Record<string, string>[] =>
  world.tokens().map(({ id, marker }) => ({ ...marker, id }));

test('the console rotates a secret: a version of its own id, and a token that says so', async () => {
  const world = await openIssued();
  const before = world.holders(TELEGRAF);
  await world.rotateSecret(TELEGRAF);
  expect(rotationOf(world)).toMatchObject({ failure: undefined });
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(before.AWSCURRENT);
  const version = world.labels(TELEGRAF).AWSCURRENT;
  const { token, tokenId } = JSON.parse(world.value(TELEGRAF));
  expect(world.accepts(token)).toBe(true);
  expect(version).not.toContain(tokenId);
  expect(markersOf(world)).toContainEqual(
    expect.objectContaining({ id: tokenId, minted: version }),
  );
  expect(markersOf(world).find(({ id }) => id === before.AWSCURRENT)?.superseded).toMatch(INSTANT);
  expect((await world.rotate()).result.plan.actions).toEqual([]);
});

test('what it replaced is retired, and what it made is kept and rotated again', async () => {
  const world = await openIssued();
  await world.rotateSecret(TELEGRAF);
  const { tokenId } = JSON.parse(world.value(TELEGRAF));
  for (let days = 0; days < 12; days += 1) {
    await world.wait(DAY);
    await world.reap();
  }
  expect(markersOf(world).map(({ id }) => id)).toEqual([tokenId]);
  await world.wait(18 * DAY);
  await world.rotate();
  await world.wait(10 * MINUTE);
  const { result } = await world.rotate();
  expect(result.outcomes).toMatchObject([
    { action: { kind: 'resume', reason: 'Due' }, result: 'done' },
  ]);
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(tokenId);
});

test('repeats its steps without a second token, wherever it died', async () => {
  const world = await openIssued();
  let puts = 0;
  world.intercept((call, effect) => {
    const reply = effect();
    const dies = call.operation === 'PutSecretValue' && puts++ === 0;
    return Promise.resolve(
      dies ? { status: 400, body: '{"__type":"InvalidRequestException"}' } : reply,
    );
  });
  await world.rotateSecret(TELEGRAF);
  expect(rotationOf(world)).toMatchObject({ failure: undefined });
  expect(markersOf(world)).toHaveLength(2);
  expect(markersOf(world)).toContainEqual(
    expect.objectContaining({ minted: world.labels(TELEGRAF).AWSCURRENT }),
  );
});

test('only tests where it is set up without a rotation, and mints nothing', async () => {
  const world = await openIssued();
  const before = world.labels(TELEGRAF);
  await world.rotateSecret(TELEGRAF, { RotateImmediately: false });
  expect(world.labels(TELEGRAF).AWSCURRENT).toBe(before.AWSCURRENT);
  expect(markersOf(world)).toHaveLength(1);
});

test('rotates nothing that a person holds', async () => {
  const world = await openIssued();
  await world.people.hold(TELEGRAF, 'frozen');
  await world.rotateSecret(TELEGRAF);
  expect(rotationOf(world)?.failure).toContain('a person put it on hold');
  expect(markersOf(world)).toHaveLength(1);
});
