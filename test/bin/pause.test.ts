import { expect, it } from 'vitest';
import { answering } from '../world/faults.ts';
import { MINUTE } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { writeTemporary } from './cli.ts';
import { openDeployed } from './operator.ts';

const NAMES = ['keyturn-prod-rotate', 'keyturn-prod-reap', 'keyturn-prod-enforce'];
const CALLER = 'assumed-role/Operator/somebody';
const PAUSE = ['pause', '--reason', 'tokens vanish', '--yes'];

const schedulesOf = ({ aws }: World) =>
  NAMES.map((name) => aws.state.schedules[`default/${name}`]).map((each) => {
    if (!each) throw new Error('the world has no such schedule');
    return each;
  });
/** All of a schedule but when it was changed. */
const fieldsOf = (world: World) => schedulesOf(world).map(({ modifiedAt: _, ...fields }) => fields);
/** A table, whose last column may stand below the rows, as one line. */
const flat = (text: string) => text.replaceAll(/\s+/g, ' ');
const statesOf = (world: World) => schedulesOf(world).map(({ State }) => State);
const firing = (world: World) =>
  NAMES.filter((name) => world.aws.firing(name, world.clock.now()) !== undefined);

it('stops every schedule of the owner, which then does not fire, and keeps all its fields', async () => {
  const { world, run } = await openDeployed();
  const before = fieldsOf(world);
  expect(firing(world)).toEqual(NAMES);

  const paused = await run(PAUSE);
  expect(paused.code).toBe(0);
  expect(firing(world)).toEqual([]);
  const note = / \[keyturn:paused (\S+) by (\S+): (.*)\]$/;
  expect(
    fieldsOf(world).map(({ Description = '', ...rest }) => ({
      ...rest,
      State: 'ENABLED',
      Description: Description.replace(note, ''),
    })),
  ).toEqual(before);
  const [, at = '', by, reason] = note.exec(schedulesOf(world)[0]?.Description ?? '') ?? [];
  expect({ by, reason }).toEqual({ by: CALLER, reason: 'tokens vanish' });
  expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(MINUTE);

  expect(paused.stderr).toMatch(/keyturn-prod-rotate +rate\(30 minutes\) +on\n/);
  expect(paused.stderr).toMatch(/keyturn-prod-reap +cron\(0 \* \* \* \? \*\) Europe\/Berlin +on\n/);
  expect(paused.stderr).toContain('"A function is not running" ring meanwhile, as they should');
  expect(flat(paused.stdout)).toContain(
    `keyturn-prod-rotate stopped now: it is off since ${at} by ${CALLER} (tokens vanish) keyturn-prod-reap stopped now: `,
  );

  const resumed = await run(['resume', '--yes']);
  expect(resumed.code).toBe(0);
  expect(fieldsOf(world)).toEqual(before);
  expect(firing(world)).toEqual(NAMES);
  expect(flat(resumed.stderr)).toContain(`off since ${at} by ${CALLER} (tokens vanish)`);
  expect(flat(resumed.stdout)).toMatch(
    /^SCHEDULE RESULT keyturn-prod-rotate started now: fires within 30 minutes, and up to 15 minutes keyturn-prod-reap started now: fires next at \d{4}-\d\d-\d\dT\d\d:00:00Z to \S+:15:00Z /,
  );
});

it('stops the schedules where this machine lacks the file that cluster.ca names', async () => {
  const { world, run } = await openDeployed();
  const { cluster } = world.policy as { readonly cluster: object };
  const policy = { ...world.policy, cluster: { ...cluster, ca: 'nowhere.pem' } };
  const KEYTURN_POLICY = writeTemporary('elsewhere.yaml', policy);
  expect((await run(PAUSE, undefined, { KEYTURN_POLICY })).code).toBe(0);
  expect(firing(world)).toEqual([]);
});

/** How every command says that `PAUSE` stopped the schedule of a job. */
const off = (job: string) =>
  new RegExp(
    `keyturn-prod-${job}: this schedule is off since \\S+Z by ${CALLER} \\(tokens vanish\\); keyturn resume starts it\\n`,
  );

it('says since when, by whom and why they are off, in status and in the answer of every command', async () => {
  const { world, run } = await openDeployed();
  await run(['rotate', 'telegraf', 'grafana']);
  expect((await run(['status'])).stdout).toContain(
    '\nschedules         rotate, reap, enforce: on\n',
  );
  await run(PAUSE);

  const status = await run(['status', '--json']);
  expect(status.code).toBe(6);
  const stopped = { state: 'off', by: CALLER, reason: 'tokens vanish', since: expect.any(String) };
  expect(JSON.parse(status.stdout)).toMatchObject({ schedules: [stopped, stopped, stopped] });
  expect((await run(['status'])).stdout).toMatch(
    /\nschedules\n {2}rotate: off since \S+Z by [\s\S]*\(tokens\s+vanish\);\s+keyturn\s+resume/,
  );

  const plan = await run(['plan']);
  for (const job of ['rotate', 'reap', 'enforce']) expect(plan.stderr).toMatch(off(job));
  const rotated = await run(['rotate', 'telegraf', '--json']);
  expect(rotated.stderr).toMatch(off('rotate'));
  expect(JSON.parse(rotated.stdout)).toMatchObject({
    schedule: { state: 'off', by: CALLER, reason: 'tokens vanish' },
  });
  expect((await world.reap()).result).toMatchObject({
    schedule: { name: 'keyturn-prod-reap', state: 'off', by: CALLER },
  });
});

it('says it in the preview of an order to revoke, and in its answer, too', async () => {
  const { run } = await openDeployed();
  await run(['rotate', 'telegraf']);
  await run(PAUSE);
  const frozen = await run(['revoke', '--token', 'telegraf', '--freeze', '--dry-run']);
  for (const job of ['rotate', 'reap', 'enforce']) expect(frozen.stdout).toMatch(off(job));
  const order = ['revoke', '--token', 'telegraf', '--freeze', '--yes', '--reason', 'drill'];
  const answer = await run(order);
  for (const job of ['rotate', 'reap', 'enforce']) expect(answer.stdout).toMatch(off(job));
});

it('needs no reason and no confirmation where nothing is to do, and says so', async () => {
  const { world, run } = await openDeployed();
  const running = fieldsOf(world);
  const resumed = await run(['resume']);
  expect(resumed).toMatchObject({ code: 0, stderr: '' });
  expect(resumed.stdout.match(/^keyturn-prod-\w+ +unchanged +it is on$/gm)).toHaveLength(3);
  expect(fieldsOf(world)).toEqual(running);

  await run(PAUSE);
  const paused = schedulesOf(world);
  const again = await run(['pause', '--reason', 'another', '--yes']);
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(
    flat(again.stdout).match(/unchanged now: it is off [^:]*(?::[^:]*){2} \(tokens vanish\)/g),
  ).toHaveLength(3);
  expect(schedulesOf(world)).toEqual(paused);
});

it.each([
  ['without a reason', ['pause', '--yes'], 5, 'expected --reason TEXT'],
  ['without a confirmation', ['pause', '--reason', 'drill'], 5, 'expected --yes'],
  ['in a dry run', ['pause', '--dry-run'], 0, ''],
])('stops nothing %s', async (_how, args, code, said) => {
  const { world, run } = await openDeployed();
  const before = schedulesOf(world);
  const ended = await run(args);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toContain(said);
  expect(schedulesOf(world)).toEqual(before);
});

it('takes no token string as a reason, wherever in it', async () => {
  const { world, run } = await openDeployed();
  const string = `apiv1_${'aB3_'.repeat(20)}`;
  const ended = await run(['pause', '--reason', `found ${string} in a log`, '--yes']);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain('keyturn revoke --leaked');
  expect(JSON.stringify([ended, world.aws.state.schedules])).not.toContain(string);
  expect(statesOf(world)).toEqual(['ENABLED', 'ENABLED', 'ENABLED']);
});

it('says which schedules are off and which are not, and does the rest when it is repeated', async () => {
  const { world, run } = await openDeployed();
  const message = 'User: somebody is not authorized to perform: iam:PassRole on resource: role';
  const refused = {
    status: 403,
    headers: { 'x-amzn-errortype': 'AccessDeniedException' },
    body: JSON.stringify({ Message: message }),
  };
  world.intercept(async (call, effect) =>
    call.operation === 'UpdateSchedule' && call.subject === 'default/keyturn-prod-reap'
      ? refused
      : effect(),
  );
  const paused = await run(PAUSE);
  expect(paused.code).toBe(1);
  expect(statesOf(world)).toEqual(['DISABLED', 'ENABLED', 'DISABLED']);
  expect(flat(paused.stdout)).toContain(
    `keyturn-prod-reap failed now: it is on: UpdateSchedule of keyturn-prod-reap: ${message} `,
  );
  expect(paused.stderr).toContain(
    '2 of 3 schedules are off, not seen so: keyturn-prod-reap; mend the cause, then repeat the command',
  );
  const [first] = schedulesOf(world);

  world.intercept();
  const again = await run(['pause', '--reason', 'again', '--yes', '--json']);
  expect(again.code).toBe(0);
  expect(statesOf(world)).toEqual(['DISABLED', 'DISABLED', 'DISABLED']);
  expect(schedulesOf(world)[0]).toEqual(first);
  expect(JSON.parse(again.stdout)).toMatchObject({
    owner: 'prod',
    schedules: [
      { name: 'keyturn-prod-rotate', state: 'off', result: 'unchanged', reason: 'tokens vanish' },
      { state: 'off', result: 'stopped', reason: 'again', expression: 'cron(0 * * * ? *)' },
      { state: 'off', result: 'unchanged' },
    ],
  });
});

it('looks again where the answer of a change is lost', async () => {
  const { world, run } = await openDeployed();
  world.intercept((call, effect) => {
    const reply = effect();
    const lost = { status: 500, body: '{}' };
    return Promise.resolve(call.operation === 'UpdateSchedule' ? lost : reply);
  });
  expect((await run(PAUSE)).code).toBe(0);
  expect(statesOf(world)).toEqual(['DISABLED', 'DISABLED', 'DISABLED']);
});

it('claims nothing that it did not see', async () => {
  const { world, run } = await openDeployed();
  const ScheduleArn = 'arn:aws:scheduler:eu-west-1:123456789012:schedule/default/x';
  world.intercept(async (call, effect) =>
    call.operation === 'UpdateSchedule'
      ? { status: 200, body: JSON.stringify({ ScheduleArn }) }
      : effect(),
  );
  const paused = await run(PAUSE);
  expect(paused.code).toBe(1);
  expect(flat(paused.stdout)).toContain(
    'it is on: the change was sent, and not seen within 5 seconds',
  );
});

it('reads no more of what it is told of a schedule than fits the memory', async () => {
  const { world, run } = await openDeployed();
  world.aws.intercept = async () => ({ status: 200, body: `"${'x'.repeat(9 * 2 ** 20)}"` });
  const { code, stderr } = await run(PAUSE);
  expect(code).toBe(1);
  expect(stderr).toContain('GetSchedule of keyturn-prod-rotate: the answer is longer than 8 MB');
});

it('stops what is there, and reports a schedule that is not', async () => {
  const { world, run } = await openDeployed();
  const saved = world.aws.snapshot();
  const { 'default/keyturn-prod-reap': _, ...schedules } = saved.schedules;
  world.aws.restore({ ...saved, schedules });
  const paused = await run(PAUSE);
  expect(paused.code).toBe(1);
  expect(flat(paused.stdout)).toContain(
    'keyturn-prod-reap missing now: there is no such schedule in this account and Region ',
  );
  expect(firing(world)).toEqual([]);
  expect((await run(['status'])).stdout).toContain('\n  reap: not there\n');

  world.aws.restore({ ...saved, schedules: {} });
  const nowhere = await run(PAUSE);
  expect(nowhere.code).toBe(1);
  expect(nowhere.stderr).toContain('check AWS_PROFILE, AWS_REGION and the policy’s owner');
});

it('starts what somebody stopped in the console, but not against the policy', async () => {
  const { world, run } = await openDeployed();
  const before = fieldsOf(world);
  for (const each of schedulesOf(world)) world.aws.deploySchedule({ ...each, State: 'DISABLED' });
  const byHand = await run(['status']);
  expect(byHand.stdout).toMatch(/\n {2}rotate: off, at least since \S+Z, not by keyturn pause/);
  expect(await run(PAUSE)).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.stringify(schedulesOf(world))).not.toContain('tokens vanish');
  expect((await run(['resume', '--yes'])).code).toBe(0);
  expect(fieldsOf(world)).toEqual(before);
});

it('leaves schedules alone that the policy itself stops', async () => {
  const { world, run } = await openDeployed({ schedules: { paused: true } });
  const before = schedulesOf(world);
  const resumed = await run(['resume', '--yes']);
  expect(resumed.code).toBe(1);
  expect(resumed.stderr).toContain('found schedules.paused: true');
  expect(schedulesOf(world)).toEqual(before);
});

it('stops them though AWS does not say who asks', async () => {
  const { world, run } = await openDeployed();
  world.intercept(answering('GetCallerIdentity', { status: 403, body: '' }));
  const paused = await run(PAUSE);
  expect(paused.code).toBe(0);
  expect(paused.stderr).toContain('Who you are is not known to AWS');
  expect(schedulesOf(world)[0]?.Description).toContain(' by unknown: tokens vanish]');
});
