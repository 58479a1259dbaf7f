import { expect, test } from 'vitest';
import { openDeployed } from '../bin/operator.ts';
import { answering } from '../world/faults.ts';
import { documented } from './documented.ts';
import { type AwsRequest, isAllowed, takeApart } from './evaluate.ts';

const ACCOUNT = '111122223333';
const scheduleArn = (name: string) => `arn:aws:scheduler:eu-west-1:${ACCOUNT}:schedule/${name}`;
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const passedTo = (service: string) => ({ 'iam:PassedToService': service });

const HEADING = '## Stopping the schedules';
test('the documented rights allow every call of pause and resume, and none goes unused', async () => {
  const { world, run } = await openDeployed();
  const requests: AwsRequest[] = [];
  world.watch((call, effect) => {
    if (call.server === 'scheduler') {
      const resource = scheduleArn(call.subject ?? '');
      requests.push({ action: `scheduler:${call.operation}`, resource });
    }
    return effect();
  });
  expect((await run(['pause', '--reason', 'drill', '--yes'])).code).toBe(0);
  expect((await run(['resume', '--yes'])).code).toBe(0);
  // As CloudFormation names a role: the stack, the beginning of its logical id, and chance.
  for (const job of ['Rotate', 'Reap', 'Enforce']) {
    const resource = roleArn(`Keyturn-prod-Keyturn${job}ScheduleRole-AbCdEfGhIjKl`);
    const context = passedTo('scheduler.amazonaws.com');
    requests.push({ action: 'iam:PassRole', resource, context });
  }

  const statements = documented(HEADING);
  expect(requests.filter((request) => !isAllowed(statements, request))).toEqual([]);
  const unused = takeApart(statements).filter(
    (grant) => !requests.some((request) => isAllowed([grant], request)),
  );
  expect(unused).toEqual([]);
});

test('they allow nothing of another owner, and pass no role to another service', () => {
  const statements = documented(HEADING);
  const resource = roleArn('Keyturn-prod-KeyturnRotateScheduleRole-AbCdEfGhIjKl');
  expect(
    isAllowed(statements, {
      action: 'iam:PassRole',
      resource,
      context: passedTo('lambda.amazonaws.com'),
    }),
  ).toBe(false);
  for (const action of ['scheduler:UpdateSchedule', 'scheduler:DeleteSchedule']) {
    expect(
      isAllowed(statements, { action, resource: scheduleArn('default/keyturn-test-rotate') }),
    ).toBe(false);
  }
});

test('without them nothing is stopped, and the command says which right is missing', async () => {
  const { world, run } = await openDeployed();
  const message = 'User: somebody is not authorized to perform: scheduler:GetSchedule';
  world.intercept(
    answering('GetSchedule', {
      status: 403,
      headers: { 'x-amzn-errortype': 'AccessDeniedException' },
      body: JSON.stringify({ Message: message }),
    }),
  );
  const paused = await run(['pause', '--reason', 'drill', '--yes']);
  expect(paused).toMatchObject({ code: 1, stdout: '' });
  expect(paused.stderr).toBe(`keyturn: GetSchedule of keyturn-prod-rotate: ${message}\n`);
  expect(world.aws.state.calls.UpdateSchedule).toBeUndefined();
});
