import { describe, expect, test } from 'vitest';
import type { Call, Reply } from '../../../sandbox/interception.ts';
import { faults } from '../../world/faults.ts';
import { INSTANT } from '../../world/marker.ts';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
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

test('says that a token which the cluster does not show yet may be there, and what happens next', async () => {
  const world = await openIssued();
  await world.wait(DAY);
  const before = world.labels(TELEGRAF).AWSCURRENT;
  world.cluster.manners = { lagMs: 8 * MINUTE };
  await world.rotateSecret(TELEGRAF).catch(() => undefined);
  expect(world.tokens(TELEGRAF)).toHaveLength(2);
  expect(rotationOf(world)?.failure).toMatch(
    /shows no token .*, perhaps not yet; .* NAME promotes it, and an hour after/,
  );
  await world.wait(61 * MINUTE);
  await world.rotate();
  expect(world.labels(TELEGRAF).AWSCURRENT).not.toBe(before);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
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

type First = (call: Call, effect: () => Reply, world: World) => Promise<Reply | 'reset'>;

/** The first call of an operation meets this; all others succeed. */
function disturbFirst(world: World, operation: string, meet: First): void {
  let met = false;
  world.intercept((call, effect) => {
    if (met || call.operation !== operation || call.caller === undefined) {
      return Promise.resolve(effect());
    }
    met = true;
    return meet(call, effect, world);
  });
}

const refused: Reply = { status: 400, body: '{"__type":"InvalidRequestException"}' };

test.each<[string, string, First]>([
  ['the answer to its minting is lost', 'POST /tokens', faults['a reset after the effect']],
  ['it dies between minting and storing', 'POST /tokens', faults['killed after the effect']],
  ['its version is refused', 'PutSecretValue', () => Promise.resolve(refused)],
  ['the answer to its storing is lost', 'PutSecretValue', faults['a reset after the effect']],
  ['it dies before arming', 'PATCH /tokens/{id}', faults['killed before the effect']],
])(
  'arms no token but the one whose string is stored, though %s',
  async (_what, operation, meet) => {
    const world = await openIssued();
    const before = world.holders(TELEGRAF).AWSCURRENT;
    disturbFirst(world, operation, meet);
    await world.rotateSecret(TELEGRAF);
    world.intercept();
    expect(rotationOf(world)).toMatchObject({ failure: undefined });
    const { AWSCURRENT, AWSPREVIOUS } = world.holders(TELEGRAF);
    expect(AWSPREVIOUS).toBe(before);
    const able = world.tokens().filter(({ permissions }) => permissions.length > 0);
    expect(able.map(({ id }) => id).sort()).toEqual([AWSCURRENT, AWSPREVIOUS].sort());
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test('rotates nothing whose token a person took the permissions from', async () => {
  const world = await openIssued();
  await world.people.changeToken(world.holders(TELEGRAF).AWSCURRENT, { permissions: [] });
  const [before, tokens] = [world.labels(TELEGRAF).AWSCURRENT, world.tokens()];
  await world.rotateSecret(TELEGRAF).catch(() => undefined);
  expect(rotationOf(world)?.failure).toContain('a person took its permissions away');
  expect(world.tokens()).toEqual(tokens);
  expect(world.labels(TELEGRAF).AWSCURRENT).toBe(before);
});

test('where somebody deletes what it made, and the cluster still tells, the next run replaces it', async () => {
  const world = await openIssued();
  await world.rotateSecret(TELEGRAF);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  await world.rotate();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('where nobody tells what was deleted, the one before keeps working until the secret is mended', async () => {
  const world = await openIssued();
  world.cluster.manners = { hidesRevoked: true };
  const before = world.string(TELEGRAF);
  await world.rotateSecret(TELEGRAF);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  for (let days = 0; days < 5; days += 1) {
    await world.wait(DAY);
    await world.rotate();
    await world.reap();
    expect(world.accepts(before)).toBe(true);
    expect(world.labels(TELEGRAF).AWSPREVIOUS).toBeDefined();
  }
  const { result } = await world.rotate({ dryRun: true });
  expect(result.entries).toMatchObject([{ condition: 'unknown' }]);
  await world.rotate({ tokens: ['telegraf'], force: true });
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('where another secret shows that the cluster is well, it is mended within hours', async () => {
  const world = await openWorldForTest(policyWith({ telegraf: writer, grafana: writer }));
  await world.rotate();
  await world.rotateSecret(TELEGRAF);
  await world.people.deleteToken(world.holders(TELEGRAF).AWSCURRENT);
  await world.wait(2 * HOUR);
  await world.rotate();
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

const ways: readonly [string, (world: World) => Promise<unknown>][] = [
  ['by name, at once', (world) => world.rotate({ tokens: ['telegraf'], force: true })],
  [
    'when it is due',
    async (world) => {
      await world.wait(31 * DAY);
      await world.rotate();
      await world.wait(10 * MINUTE);
      await world.rotate();
    },
  ],
  [
    "by Secrets Manager's own, after an hour",
    async (world) => {
      await world.wait(HOUR + MINUTE);
      await world.rotate();
      await world.rotateSecret(TELEGRAF);
    },
  ],
];

test.each(ways)('a rotation that somebody cancelled keeps none back: %s', async (_when, rotate) => {
  const world = await openIssued();
  const before = world.holders(TELEGRAF).AWSCURRENT;
  await world.people.cancelRotation(TELEGRAF);
  expect(world.labels(TELEGRAF).AWSPENDING).not.toBe(world.labels(TELEGRAF).AWSCURRENT);
  await rotate(world);
  expect(world.holders(TELEGRAF).AWSPREVIOUS).toBe(before);
  expect(world.accepts(world.string(TELEGRAF))).toBe(true);
});

test('a version that a failed rotation left without a value costs later runs a second', async () => {
  const world = await openIssued();
  await world.people.cancelRotation(TELEGRAF);
  const before = world.labels(TELEGRAF);
  const reads = () => world.aws.state.calls.GetSecretValue ?? 0;
  for (const waited of [10 * MINUTE, 10 * MINUTE]) {
    await world.wait(waited);
    const [since, read] = [world.clock.now(), reads()];
    const { result } = await world.rotate();
    expect(result.entries[0].condition).toBe('works');
    expect(world.clock.now() - since).toBeLessThan(2_000);
    // Once more, in case it lagged, and once the management token.
    expect(reads() - read).toBeLessThanOrEqual(1 + 1 + 1);
  }
  expect(world.labels(TELEGRAF)).toEqual(before);
});

describe('where its version is refused, whoever asks again', () => {
  const denied: Reply = { status: 400, body: '{"__type":"AccessDeniedException"}' };
  const minted = (world: World) => world.tokens(TELEGRAF).length - 1;

  /** People and Secrets Manager ask again and again, and nothing can be stored. */
  async function askInVain(world: World): Promise<string | undefined> {
    let failure: string | undefined;
    world.intercept((call, effect) => {
      const isPut = call.operation === 'PutSecretValue' && call.caller !== undefined;
      return Promise.resolve(isPut ? denied : effect());
    });
    for (let n = 0; n < 6; n += 1) {
      await world.rotateSecret(TELEGRAF).catch(() => {});
      const { error } = await world.invoke('secrets-manager-rotation', {
        Step: 'createSecret',
        SecretId: world.aws.state.secrets[TELEGRAF]?.arn,
        ClientRequestToken: world.labels(TELEGRAF).AWSPENDING,
      });
      failure = error?.errorMessage;
      await world.wait(5 * MINUTE);
    }
    return failure;
  }

  test('no fourth token is minted', async () => {
    const world = await openIssued();
    await world.wait(DAY);
    expect(await askInVain(world)).toContain('3 tokens were minted and not stored');
    expect(minted(world)).toBe(3);
  });

  test('they are reaped within hours, also while AWSPENDING stands, and then another one is minted and promoted', async () => {
    const world = await openIssued();
    const before = world.string(TELEGRAF);
    await world.wait(DAY);
    await askInVain(world);
    world.intercept();
    expect(world.labels(TELEGRAF).AWSPENDING).toBeDefined();
    for (let hours = 0; hours < 3; hours += 1) {
      await world.wait(HOUR);
      await world.reap();
    }
    expect(minted(world)).toBeLessThan(3);
    expect(world.accepts(before)).toBe(true);
    await world.rotate({ tokens: ['telegraf'], force: true });
    expect(world.string(TELEGRAF)).not.toBe(before);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  });
});
