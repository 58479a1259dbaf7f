import { expect, test } from 'vitest';
import { openWorldForTest } from '../../world/open-world.ts';
import { DAY, HOUR, policyWith, TELEGRAF, writer } from '../../world/policy.ts';
import type { Deployment, World } from '../../world/world.ts';

const policy = policyWith({ telegraf: writer });
const NEXT = { ...policyWith({ telegraf: { ...writer, secret: TELEGRAF } }), owner: 'next' };

/** A promotion of a replica, as far as it shows: versions, labels and tags stay, the ARN is of another Region. */
function promoteReplica({ aws }: World, name: string) {
  const state = aws.snapshot();
  const { [name]: secret } = state.secrets;
  if (!secret) throw new Error(`there is no secret ${name}`);
  const arn = secret.arn.replace(/:secretsmanager:[^:]+:/, ':secretsmanager:eu-north-1:');
  aws.restore({ ...state, secrets: { ...state.secrets, [name]: { ...secret, arn } } });
}

/** From a backup that has every labelled version with its id, and the tags. */
async function restoreVersions({ people, ...world }: World, name: string) {
  const labels = world.labels(name);
  const tags = world.tags(name);
  const values = Object.entries(labels).map(
    ([label, version]) => [label, version, world.value(name, version)] as const,
  );
  await people.deleteSecret(name, 'for good');
  await people.createSecret(name, undefined, tags);
  const inOrder = values.sort(([a], [b]) =>
    a === 'AWSPREVIOUS' ? -1 : b === 'AWSPREVIOUS' ? 1 : 0,
  );
  for (const [, version, value] of inOrder) {
    await people.putVersion(name, version, value, 'AWSCURRENT');
  }
}

/** From a backup that has the current value alone. */
async function restoreValue({ people, ...world }: World, name: string) {
  const value = world.value(name);
  await people.deleteSecret(name, 'for good');
  await people.createSecret(name, value);
}

interface Moved {
  readonly move: (world: World) => unknown;
  /** What is deployed after it. */
  readonly policy: object;
  readonly from?: string;
}

const moves: Readonly<Record<string, Moved>> = {
  'a replica was promoted': { move: (world) => promoteReplica(world, TELEGRAF), policy },
  'a secret was restored with its versions': {
    move: (world) => restoreVersions(world, TELEGRAF),
    policy,
  },
  'a secret was restored by its value, without tags': {
    move: (world) => restoreValue(world, TELEGRAF),
    policy,
  },
  'the owner changed': { move: () => {}, policy: NEXT, from: 'prod' },
};

/**
 * A token that is being retired without a label, one under AWSPREVIOUS, and the current one; and then their secret, or
 * their deployment, is another one.
 */
async function openMoved({ move, policy: next, from }: Moved) {
  const world = await openWorldForTest(policy);
  const rotate = async () => {
    await world.rotate({ tokens: ['telegraf'], force: true });
    return world.holders(TELEGRAF).AWSCURRENT ?? '';
  };
  await world.rotate();
  const [first] = [world.holders(TELEGRAF).AWSCURRENT ?? ''];
  await world.wait(2 * DAY);
  const second = await rotate();
  await world.wait(DAY + HOUR);
  await world.reap(); // takes AWSPREVIOUS off the first
  const third = await rotate();
  await world.wait(DAY / 2);
  await move(world);
  await world.wait(2 * HOUR);
  const keyturn = world.deploy(next);
  const asked = { tokens: ['telegraf'], takeOver: { by: 'ada', ...(from && { from }) } };
  return { world, keyturn, asked, first, second, third };
}

const kindsOf = ({ result }: Awaited<ReturnType<Deployment['rotate']>>): readonly string[] =>
  result.plan.findings.map(({ kind }: { readonly kind: string }) => kind);

const idsOf = (world: World) => world.tokens(TELEGRAF).map(({ id }) => id);

test.each(Object.entries(moves))(
  'after %s, its tokens are strays until they are taken over, and then are retired in time',
  async (_name, moved) => {
    const { world, keyturn, asked, first, second, third } = await openMoved(moved);
    // Of another owner's tokens nobody says that they are strays.
    const strays = moved.from ? [] : ['WorkingStray'];
    expect(kindsOf(await keyturn.reap({ dryRun: true }))).toEqual(expect.arrayContaining(strays));
    const before = new Map(world.tokens(TELEGRAF).map(({ id, marker }) => [id, marker]));

    const { result } = await keyturn.rotate(asked);
    expect(result.outcomes).toMatchObject([{ result: 'done' }]);
    expect(result.outcomes[0].action.tokenIds.at(-1)).toBe(third);
    expect([...result.outcomes[0].action.tokenIds].sort()).toEqual([first, second, third].sort());
    expect(world.tags(TELEGRAF)).toMatchObject({
      'keyturn:owner': moved.from ? 'next' : 'prod',
      'keyturn:cluster': world.cluster.url,
    });
    // Nothing but whose it is has changed.
    for (const { id, marker } of world.tokens(TELEGRAF)) {
      const { owner: _was, home: _at, ...kept } = before.get(id) ?? {};
      expect(marker).toMatchObject(kept);
    }
    expect(world.events('Secret Taken Over')).toMatchObject([
      { detail: { token: 'telegraf', secret: TELEGRAF, confirmedBy: 'ada' } },
    ]);

    const rotated = await keyturn.rotate();
    expect(rotated.result.entries).toMatchObject([{ condition: 'works', tokenId: third }]);
    expect(kindsOf(rotated)).not.toContain('LostMarker');
    const reaped = await keyturn.reap();
    expect(kindsOf(reaped)).not.toContain('LostMarker');
    expect(kindsOf(reaped)).not.toContain('WorkingStray');

    for (let day = 0; day < 14; day += 1) {
      await world.wait(DAY);
      expect(await keyturn.rotate()).not.toHaveProperty('error');
      expect(await keyturn.reap()).not.toHaveProperty('error');
    }
    expect(idsOf(world)).toEqual([third]);
    expect(world.accepts(world.string(TELEGRAF))).toBe(true);
  },
);

test.each(Object.entries(moves))(
  'after %s, and without a takeover, nobody retires what was there',
  async (_name, moved) => {
    const { world, keyturn, first, second, third } = await openMoved(moved);
    for (let day = 0; day < 14; day += 1) {
      await world.wait(DAY);
      await keyturn.rotate();
      await keyturn.reap();
    }
    expect(idsOf(world)).toEqual(expect.arrayContaining([first, second, third]));
  },
);
