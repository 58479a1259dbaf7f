import { expect, it } from 'vitest';
import { formatInstant } from '../../functions/time.ts';
import { openWorldForTest } from '../world/open-world.ts';
import { MINUTE, policyWith, TELEGRAF, writer } from '../world/policy.ts';
import { environmentOf } from '../world/systems.ts';
import { keyturn, writeTemporary } from './cli.ts';
import { serveLambda } from './serve-lambda.ts';

/** An operator of a deployment whose owner was `prod`, and is `next` now. */
async function openRenamed() {
  const world = await openWorldForTest(policyWith({ telegraf: writer }), {
    startAt: Date.now(),
    isSimulated: false,
  });
  await world.rotate();
  const entry = { ...writer, secret: TELEGRAF };
  const deployed = world.deploy({
    ...policyWith({ telegraf: entry, other: writer }),
    owner: 'next',
  });
  const AWS_ENDPOINT_URL_LAMBDA = await serveLambda(deployed);
  const KEYTURN_POLICY = writeTemporary('keyturn.yaml', deployed.policy);
  const KEYTURN_FUNCTION_PREFIX = 'keyturn-prod-'; // as the served functions are called
  const served = { AWS_ENDPOINT_URL_LAMBDA, KEYTURN_FUNCTION_PREFIX };
  const env = { KEYTURN_POLICY, ...environmentOf(world), ...served };
  const run = (...args: readonly string[]) => keyturn(['takeover', ...args], { env });
  /** Stops the schedules of the former owner, so many minutes ago. */
  const pause = async (minutesAgo = 16) => {
    const paused = await keyturn(['pause', '--reason', 'moving', '--yes'], {
      env: { ...env, KEYTURN_POLICY: writeTemporary('keyturn.yaml', world.policy) },
    });
    const state = world.aws.snapshot();
    const earlier = (at: string) => formatInstant(Date.parse(at) - minutesAgo * MINUTE);
    const schedules = Object.fromEntries(
      Object.entries(state.schedules).map(([key, each]) => [
        key,
        {
          ...each,
          Description: each.Description?.replace(/(?<=paused )\S+/, earlier),
          modifiedAt: each.modifiedAt - minutesAgo * MINUTE,
        },
      ]),
    );
    world.aws.restore({ ...state, schedules });
    return paused;
  };
  /** Somebody changes the schedules by hand, so many minutes ago; they are off since, and their notes stay. */
  const touch = (minutesAgo: number) => {
    const state = world.aws.snapshot();
    const modifiedAt = Date.now() - minutesAgo * MINUTE;
    const schedules = Object.entries(state.schedules).map(([key, each]) => [
      key,
      { ...each, modifiedAt },
    ]);
    world.aws.restore({ ...state, schedules: Object.fromEntries(schedules) });
  };
  return { world, run, pause, touch };
}

it.each([
  ['since a minute', 1],
  ['since almost a quarter of an hour', 14],
])('takes nothing over from a deployment that is paused only %s', async (_since, minutes) => {
  const { world, run, pause } = await openRenamed();
  await pause(minutes);
  const words = ['telegraf', '--from', 'prod', '--confirm'];
  const refused = await run(...words);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('expected it off for 15 minutes');
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');
  expect((await run(...words, '--dry-run')).code).toBe(0);
});

it('takes nothing over where schedules were changed after their pause: they may have been on until then', async () => {
  const { world, run, pause, touch } = await openRenamed();
  await pause(120);
  touch(14);
  const words = ['telegraf', '--from', 'prod', '--confirm'];
  const refused = await run(...words);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('found the schedule keyturn-prod-rotate last changed at');
  expect(refused.stderr).toContain('it may have been on until then');
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');
  touch(16);
  expect((await run(...words)).code).toBe(0);
});

it('takes nothing over where nothing shows when the schedules were stopped, unless a person says so', async () => {
  const { world, run, pause } = await openRenamed();
  await pause();
  world.intercept(async (call, effect) => {
    const answer = await effect();
    if (call.operation !== 'GetSchedule') return answer;
    const { LastModificationDate, Description, ...others } = JSON.parse(answer.body);
    return { ...answer, body: JSON.stringify(others) };
  });
  const words = ['telegraf', '--from', 'prod', '--confirm'];
  const refused = await run(...words);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('found no instant since which the schedule');
  expect(refused.stderr).toContain('--stopped');
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');
});

it('takes nothing over where nobody knows whether the former deployment is stopped, unless a person says so', async () => {
  const { world, run } = await openRenamed();
  world.intercept(async (call, effect) =>
    call.operation === 'GetSchedule'
      ? { status: 403, body: JSON.stringify({ __type: 'AccessDeniedException', Message: 'no' }) }
      : effect(),
  );
  const words = ['telegraf', '--from', 'prod', '--confirm'];
  const refused = await run(...words);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('found no answer about the schedule keyturn-prod-rotate');
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');
  expect((await run(...words, '--stopped')).code).toBe(0);
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('next');
});

it('takes nothing over from a deployment whose schedules are not here, unless a person says that it is stopped', async () => {
  const { world, run } = await openRenamed();
  const state = world.aws.snapshot();
  world.aws.restore({ ...state, schedules: {} });
  const words = ['telegraf', '--from', 'prod', '--confirm'];
  const refused = await run(...words);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain(
    'found no keyturn-prod-rotate, keyturn-prod-reap, keyturn-prod-enforce here',
  );
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');
  expect((await run(...words, '--stopped')).code).toBe(0);
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('next');
});

it('takes a secret and its token over once the deployment that had them is paused', async () => {
  const { world, run, pause } = await openRenamed();
  const id = world.holders(TELEGRAF).AWSCURRENT ?? '';
  const words = ['telegraf', '--from', 'prod', '--confirm'];
  const live = await run(...words);
  expect(live).toMatchObject({ code: 1, stdout: '' });
  expect(live.stderr).toContain('found the schedule keyturn-prod-rotate on');
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');

  expect((await pause()).code).toBe(0);
  const shown = await run(...words, '--dry-run');
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain(`telegraf ${id.slice(0, 8)}: write into their markers`);
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');

  expect(await run(...words, '--by', 'ada')).toMatchObject({
    code: 0,
    stdout: 'done  take-over telegraf\n',
  });
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('next');
  expect(world.events('Secret Taken Over')).toMatchObject([
    { detail: { tokenIds: [id], from: 'prod', confirmedBy: 'ada' } },
  ]);
  const again = await run(...words);
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('the secret and its tokens are ours [NothingToTakeOver]');
});

it('says what it does not take over and which command would, and does not call that done', async () => {
  const { world, run, pause } = await openRenamed();
  await pause();
  const wrong = await run('--all', '--confirm');
  expect(wrong.code).toBe(1);
  expect(wrong.stdout).toContain(
    'belongs to the deployment "prod"; if that is paused or destroyed: keyturn takeover telegraf --from prod --confirm',
  );
  expect(wrong.stdout).toContain('other: no secret has its name, and no token names it');
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');
});

it.each([
  ['without the word', ['telegraf'], 'found no --confirm'],
  ['without a name', ['--confirm'], 'expected the names of tokens in the policy, or --all'],
  ['with both', ['telegraf', '--all', '--confirm'], 'both names and --all'],
  ['for a name that is not in the policy', ['telgraf', '--confirm'], 'found no token telgraf'],
  [
    'from what is no owner',
    ['telegraf', '--from', 'A b', '--confirm'],
    'found --from "A b", expected an owner',
  ],
  ['from nobody', ['telegraf', '--from', '', '--confirm'], 'found --from "", expected an owner'],
])('takes nothing over %s', async (_case, args, said) => {
  const { world, run } = await openRenamed();
  const answer = await run(...args);
  expect(answer).toMatchObject({ code: 1, stdout: '' });
  expect(answer.stderr).toContain(said);
  expect(world.tags(TELEGRAF)['keyturn:owner']).toBe('prod');
});
