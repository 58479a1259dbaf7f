import { z } from 'zod';
import { plannedIn } from './afterwards.ts';
import { expect } from './expect.ts';
import { NEIGHBOUR, secretOf } from './policy.ts';
import { expectKept, HOUR_MS, type Scene } from './scenario.ts';
import type { Stage } from './stage.ts';
import { eventually } from './waiting.ts';
import { hasMark, readWorld, type World } from './world.ts';

const JOBS = ['rotate', 'reap', 'enforce'] as const;
/** Of a run of `reap` by hand; three retire a token. */
const RUNS_OF_REAP_MS = 90_000;

const scheduleSchema = z.object({ State: z.string(), Description: z.string() });

type Neighbour = ReturnType<Stage['beside']>;

/** What a deployment was before another one came over it. */
interface Before {
  readonly current: string;
  readonly replaced: string;
}

/** Labels, and whether the cluster accepts what they name. */
function checkKept({ current, replaced }: Before, theirs: World): void {
  expect('AWSCURRENT', theirs.labelled('telegraf', 'AWSCURRENT')?.id, current);
  expect('AWSPREVIOUS', theirs.labelled('telegraf', 'AWSPREVIOUS')?.id, replaced);
  for (const id of [current, replaced]) {
    expect(`${id} works`, theirs.works(id, 'write', 'telemetry'), true);
  }
}

/** Version 0.1.0 as it was; one token has been replaced, and its grace period is over. */
async function beginAsFirstVersion(neighbour: Neighbour, theirs: World): Promise<Before> {
  await neighbour.deployFirstVersion();
  await neighbour.invoke('rotate', {});
  const replaced = theirs.labelled('telegraf', 'AWSCURRENT')?.id ?? '';
  await neighbour.invoke('rotate', { tokens: ['telegraf'], force: true });
  const current = theirs.labelled('telegraf', 'AWSCURRENT')?.id ?? '';
  const before = { current, replaced };
  checkKept(before, theirs);
  const token = theirs.token(replaced);
  expect('it is superseded', token && hasMark(token, 'superseded'), true);
  return before;
}

/** What 0.1.0 has left half done is done, and what is due goes on by the rules of this version. */
async function carryOn(
  neighbour: Neighbour,
  { current, replaced }: Before,
  theirs: World,
): Promise<void> {
  // A token that somebody has asked for by name a moment ago is not replaced again, and one that is younger than an hour not retired.
  for (const id of [current, replaced]) theirs.age(id, 2 * HOUR_MS);
  await neighbour.keyturn('rotate', 'telegraf');
  const next = theirs.labelled('telegraf', 'AWSCURRENT')?.id ?? '';
  expect('AWSCURRENT moved', next !== current, true);
  const [id] = Object.entries(theirs.versions()[secretOf('telegraf', NEIGHBOUR)] ?? {}).find(
    ([, labels]) => labels.includes('AWSCURRENT'),
  ) ?? [''];
  expect('the id of its version', id, `keyturn-${next}`);
  for (const each of [next, current]) {
    expect(`${each} works`, theirs.works(each, 'write', 'telemetry'), true);
  }
  await eventually(
    RUNS_OF_REAP_MS,
    async () => {
      await neighbour.invoke('reap', {});
      return theirs.token(replaced) === undefined;
    },
    () => theirs.token(replaced)?.description ?? 'deleted',
  );
  expect('the one after it', theirs.token(current) !== undefined, true);
}

/** In MiniStack, and not as `keyturn` says it. */
async function pauseAndResume({ stage }: Scene, neighbour: Neighbour): Promise<void> {
  const found = () =>
    Promise.all(
      JOBS.map(async (job) =>
        scheduleSchema.parse(
          await stage.aws('scheduler', 'get-schedule', '--name', `keyturn-${NEIGHBOUR}-${job}`),
        ),
      ),
    );
  const before = await found();
  const states = (all: typeof before) => all.map(({ State }) => State);
  expect('at first', states(before), ['ENABLED', 'ENABLED', 'ENABLED']);
  await neighbour.keyturn('pause', '--reason', 'tokens vanish', '--yes');
  const paused = await found();
  expect('paused', states(paused), ['DISABLED', 'DISABLED', 'DISABLED']);
  for (const { Description } of paused) {
    expect(`the reason in ${Description}`, Description.includes('tokens vanish'), true);
  }
  await neighbour.keyturn('resume', '--yes');
  expect('resumed', await found(), before);
}

/** Two deployments of one cluster in one account: each keeps to its own. */
async function keepApart({ stage, world }: Scene, neighbour: Neighbour): Promise<void> {
  const before = world.versions();
  const [ours, theirs] = [secretOf(''), secretOf('', NEIGHBOUR)];
  expect('its secret', `${theirs}telegraf` in before, true);
  for (const job of ['rotate', 'reap']) {
    const here = JSON.stringify(await plannedIn(stage, job));
    const there = JSON.stringify(await plannedIn(neighbour, job));
    expect(`${job} means the neighbour: ${here}`, here.includes(theirs), false);
    expect(`the neighbour's ${job} means us: ${there}`, there.includes(ours), false);
  }
  await stage.destroy();
  await neighbour.keyturn('rotate', 'telegraf');
  const { [`${theirs}telegraf`]: _, ...kept } = before;
  expectKept(kept, world.versions());
  await neighbour.destroy();
}

/** Another deployment in the same account, from the checkout, which began as version 0.1.0. */
export async function haveNeighbour(
  scene: Scene,
  policy: { readonly owner: string },
): Promise<void> {
  const { stage, world, report } = scene;
  const neighbour = stage.beside(policy);
  const theirs = readWorld(stage.sandbox, NEIGHBOUR);
  const before = await report.step(
    'a second policy in the same account, deployed by version 0.1.0, has a token that was replaced',
    () => beginAsFirstVersion(neighbour, theirs),
  );
  await report.step('cdk deploy over 0.1.0 keeps every secret, version and token', async () => {
    const versions = world.versions();
    await neighbour.deploy();
    expectKept(versions, world.versions());
    checkKept(before, theirs);
    const kinds = (await plannedIn(neighbour, 'rotate')).map(({ kind }) => kind);
    // It notes what version holds which token; 0.1.0 did not.
    expect('what rotate would do', kinds, ['recognise']);
  });
  await report.check('it carries on what 0.1.0 had begun: the replaced token is retired', () =>
    carryOn(neighbour, before, theirs),
  );
  await report.check('keyturn pause stops its schedules, and resume starts them as they were', () =>
    pauseAndResume(scene, neighbour),
  );
  await report.check('each of the two has tokens of its own, and one outlives the other', () =>
    keepApart(scene, neighbour),
  );
}
