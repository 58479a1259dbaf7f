import { expect, test } from 'vitest';
import type { RotationEvent } from '../../../sandbox/aws/rotation.ts';
import { LAMBDA_ARN, rotateByTemplate } from './rotation-function.ts';
import { DAY_MS, id, refusal, start } from './start.ts';

const SecretId = 'fleet/telegraf';

/** A server whose rotation function does what `react` says, and else what AWS's template does. */
async function startRotating(react: (event: RotationEvent) => Promise<unknown> | undefined) {
  const events: RotationEvent[] = [];
  const started = await start();
  const { aws, client } = started;
  aws.rotationInvoker = async (_arn, event) => {
    events.push(event);
    await (react(event) ?? rotateByTemplate(client, event));
  };
  await client.createSecret({ Name: SecretId, SecretString: '1', ClientRequestToken: id(1) });
  const rotate = (seed: number, RotateImmediately?: boolean) =>
    client.rotateSecret({
      SecretId,
      RotateImmediately,
      ClientRequestToken: id(seed),
      RotationLambdaARN: LAMBDA_ARN,
      RotationRules: { AutomaticallyAfterDays: 30 },
    });
  const steps = () => events.map((event) => event.Step);
  const stages = (seed: number) => aws.state.secrets[SecretId]?.versions[id(seed)]?.stages;
  return { ...started, events, rotate, steps, stages };
}

const template = () => undefined;

test('four steps in order promote the version and take AWSPENDING off', async () => {
  const { aws, clock, events, rotate, steps, stages } = await startRotating(template);
  expect(await rotate(2)).toMatchObject({ VersionId: id(2) });
  await aws.settled();
  expect(steps()).toEqual(['createSecret', 'setSecret', 'testSecret', 'finishSecret']);
  expect(events[0]).toMatchObject({
    SecretId: aws.state.secrets[SecretId]?.arn,
    ClientRequestToken: id(2),
  });
  expect([stages(1), stages(2)]).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
  expect(aws.state.secrets[SecretId]?.rotation).toMatchObject({
    rotatingTo: undefined,
    failure: undefined,
    rotatedAt: clock.now(),
    nextAt: clock.now() + 30 * DAY_MS,
  });
});

test('the first step finds AWSPENDING on a version that has no value yet', async () => {
  const seen: unknown[] = [];
  const { aws, client, rotate } = await startRotating((event) => {
    if (event.Step !== 'createSecret') return undefined;
    const VersionId = event.ClientRequestToken;
    return Promise.all([
      client.describeSecret({ SecretId }).then((answer) => seen.push(answer.VersionIdsToStages)),
      refusal(client.getSecretValue({ SecretId, VersionId })).then((text) => seen.push(text)),
    ]).then(() => rotateByTemplate(client, event));
  });
  await rotate(2);
  await aws.settled();
  expect(seen).toContainEqual({ [id(1)]: ['AWSCURRENT'], [id(2)]: ['AWSPENDING'] });
  expect(seen).toContainEqual(expect.stringMatching(/^ResourceNotFoundException/));
});

test('a failing function is retried as a whole, then AWSPENDING blocks the next rotation', async () => {
  const { aws, rotate, steps, stages } = await startRotating(() =>
    Promise.reject(new Error('no such host')),
  );
  await rotate(2);
  await aws.settled();
  expect(steps()).toEqual(['createSecret', 'createSecret', 'createSecret']);
  expect(stages(2)).toEqual(['AWSPENDING']);
  expect(aws.state.secrets[SecretId]?.rotation?.failure).toBe('Error: no such host');
  expect(await refusal(rotate(3))).toBe(
    "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted.",
  );
});

test('a rotation that failed once is resumed by its own token', async () => {
  let broken = true;
  const { aws, rotate, stages } = await startRotating(() =>
    broken ? Promise.reject(new Error('down')) : undefined,
  );
  await rotate(2);
  await aws.settled();
  broken = false;
  await rotate(2);
  await aws.settled();
  expect(stages(2)).toEqual(['AWSCURRENT']);
});

test('AWSPENDING left on the current version blocks nothing', async () => {
  const { aws, client, rotate, stages } = await startRotating(template);
  await client.updateSecretVersionStage({
    SecretId,
    VersionStage: 'AWSPENDING',
    MoveToVersionId: id(1),
  });
  await rotate(2);
  await aws.settled();
  expect(stages(2)).toEqual(['AWSCURRENT']);
});

test('the same token rotates once', async () => {
  const { aws, rotate, steps } = await startRotating(template);
  await rotate(2);
  await rotate(2);
  await aws.settled();
  await rotate(2);
  await aws.settled();
  expect(steps()).toHaveLength(4);
});

test('finishing without moving AWSCURRENT is a failure', async () => {
  const { aws, rotate, stages } = await startRotating((event) =>
    event.Step === 'finishSecret' ? Promise.resolve() : undefined,
  );
  await rotate(2);
  await aws.settled();
  expect(stages(2)).toEqual(['AWSPENDING']);
  expect(aws.state.secrets[SecretId]?.rotation?.failure).toMatch(/AWSCURRENT/);
});

test('not immediately: testSecret alone, on a version that vanishes', async () => {
  const seen: unknown[] = [];
  const { aws, rotate, steps, stages } = await startRotating((event) => {
    seen.push(stages(2));
    return event.Step === 'testSecret' ? Promise.resolve() : undefined;
  });
  await rotate(2, false);
  await aws.settled();
  expect(seen).toEqual([['AWSPENDING']]);
  expect(steps()).toEqual(['testSecret']);
  expect(stages(2)).toBeUndefined();
  expect(aws.state.secrets[SecretId]?.rotation?.enabled).toBe(true);
});

test('not immediately, on a version that has a value: it stays', async () => {
  const { aws, client, rotate, stages } = await startRotating(() => Promise.resolve());
  const put = { SecretId, ClientRequestToken: id(2), VersionStages: ['AWSPENDING'] };
  await client.putSecretValue({ ...put, SecretString: 'valued' });
  await rotate(2, false);
  await aws.settled();
  expect(stages(2)).toEqual(['AWSPENDING']);
});

test('a version put meanwhile ends the rotation and takes its AWSPENDING', async () => {
  const { aws, client, rotate, steps, stages } = await startRotating((event) =>
    event.Step === 'setSecret' ? client.putSecretValue({ SecretId, SecretString: '9' }) : undefined,
  );
  await rotate(2);
  await aws.settled();
  expect(steps()).toEqual(['createSecret', 'setSecret']);
  expect(stages(2)).toEqual([]);
  expect(aws.state.secrets[SecretId]?.rotation?.failure).toBe('abandoned');
});

test('cancelling names the half-made version and leaves AWSPENDING on it', async () => {
  const { aws, client, rotate, steps, stages } = await startRotating((event) =>
    event.Step === 'setSecret' ? client.cancelRotateSecret({ SecretId }) : undefined,
  );
  await rotate(2);
  await aws.settled();
  expect(steps()).toEqual(['createSecret', 'setSecret']);
  expect(stages(2)).toEqual(['AWSPENDING']);
  expect((await client.describeSecret({ SecretId })).RotationEnabled).toBe(false);
  expect((await client.cancelRotateSecret({ SecretId })).VersionId).toBe(id(2));
});

test('the placeholder of an empty secret is pending, not current', async () => {
  const { aws, client } = await startRotating(() => Promise.reject(new Error('off')));
  await client.createSecret({ Name: 'empty' });
  const rotation = { RotationLambdaARN: LAMBDA_ARN, ClientRequestToken: id(2) };
  await client.rotateSecret({ SecretId: 'empty', ...rotation });
  await aws.settled();
  expect(aws.state.secrets.empty?.versions[id(2)]?.stages).toEqual(['AWSPENDING']);
});

test('a placeholder is filled by a put of its token', async () => {
  const { aws, client, rotate } = await startRotating(() => Promise.reject(new Error('off')));
  await rotate(2);
  await aws.settled();
  const put = { SecretId, ClientRequestToken: id(2), VersionStages: ['AWSPENDING'] };
  await client.putSecretValue({ ...put, SecretString: 'filled' });
  const read = await client.getSecretValue({ SecretId, VersionStage: 'AWSPENDING' });
  expect(read).toMatchObject({ VersionId: id(2), SecretString: 'filled' });
});
