import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { SecretsManager, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { expect, onTestFinished, test } from 'vitest';
import { type Credentials, createAccount } from '../../../sandbox/aws/account.ts';
import { refusal, start } from './start.ts';

const INVALID_TOKEN =
  'UnrecognizedClientException: The security token included in the request is invalid.';
const MISMATCH =
  /^InvalidSignatureException: The request signature we calculated does not match the signature you provided\./;
const START_AT = Date.UTC(2026, 0, 15, 12);

/** A server at noon, and a role's session. A client's clock is the server's, unless it says otherwise. */
async function startWithSession() {
  const time = { now: START_AT };
  const account = createAccount({ now: () => time.now });
  const { aws, client: person } = await start({ clock: account.clock, account });
  const session = account.issue('rotate-1');
  const options = (off = 0) => ({
    ...{ endpoint: aws.url, region: aws.region, credentials: session, maxAttempts: 1 },
    systemClockOffset: time.now - Date.now() + off,
  });
  const ask = (more: Partial<SecretsManagerClientConfig> = {}, off = 0) => {
    const client = new SecretsManager({ ...options(off), ...more });
    onTestFinished(() => client.destroy());
    return refusal(client.listSecrets({}));
  };
  return { aws, account, time, person, session, options, ask };
}

test("believes a session's key with its token, and a person's without one", async () => {
  const { ask, person } = await startWithSession();
  expect(await ask()).toBe('no error');
  expect(await refusal(person.listSecrets({}))).toBe('no error');
});

test('believes nobody whom it does not know', async () => {
  const { ask, session } = await startWithSession();
  const { accessKeyId, secretAccessKey } = session;
  expect(await ask({ credentials: { accessKeyId: 'AKIA', secretAccessKey } })).toBe(INVALID_TOKEN);
  expect(await ask({ credentials: { accessKeyId, secretAccessKey } })).toBe(INVALID_TOKEN);
  const other = { ...session, sessionToken: `${session.sessionToken}=` };
  expect(await ask({ credentials: other })).toBe(INVALID_TOKEN);
  expect(await ask({ credentials: { ...session, secretAccessKey: 'guessed' } })).toMatch(MISMATCH);
});

test("knows no other instance's token", async () => {
  const { ask, account, session } = await startWithSession();
  const { sessionToken } = account.issue('rotate-2');
  expect(await ask({ credentials: { ...session, sessionToken } })).toBe(INVALID_TOKEN);
});

test('refuses a session that has ended', async () => {
  const { ask, account, time } = await startWithSession();
  const credentials = account.issue('rotate-2', START_AT + 60_000);
  expect(await ask({ credentials })).toBe('no error');
  time.now += 60_000;
  expect(await ask({ credentials })).toBe(
    'ExpiredTokenException: The security token included in the request is expired',
  );
});

test('refuses what was signed for another Region', async () => {
  const { ask } = await startWithSession();
  expect(await ask({ region: 'us-east-1' })).toBe(
    "InvalidSignatureException: Credential should be scoped to a valid region, not 'us-east-1'.",
  );
});

test('refuses what was signed more than five minutes ago, or will be', async () => {
  const { ask } = await startWithSession();
  for (const minute of [-4.9, 4.9]) expect(await ask({}, minute * 60_000)).toBe('no error');
  expect(await ask({}, -6 * 60_000)).toMatch(
    /^InvalidSignatureException: Signature expired: 20260115T115[34]\d\dZ is now earlier than 20260115T115500Z \(20260115T120000Z - 5 min\.\)$/,
  );
  expect(await ask({}, 6 * 60_000)).toMatch(
    /^InvalidSignatureException: Signature not yet current: 20260115T120[56]\d\dZ is still later than 20260115T120500Z \(20260115T120000Z \+ 5 min\.\)$/,
  );
});

test("lets the SDK correct a clock that is wrong by the answer's", async () => {
  const { ask } = await startWithSession();
  expect(await ask({ maxAttempts: 2 }, 86_400_000)).toBe('no error');
});

test.each(['host', 'x-amz-target', 'body'])(
  'refuses a request whose %s was changed on its way',
  async (what) => {
    const { aws, options } = await startWithSession();
    const client = new SecretsManager(options());
    onTestFinished(() => client.destroy());
    client.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string; headers: Record<string, string> };
        if (what === 'body') request.body = '[]';
        else request.headers[what] = { host: 'elsewhere' }[what] ?? 'secretsmanager.CreateSecret';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    expect(await refusal(client.listSecrets({}))).toMatch(MISMATCH);
    expect(aws.state.calls).toEqual({});
  },
);

test('asks the same of every service', async () => {
  const { aws, options, account } = await startWithSession();
  aws.deploySchedule({
    ...{ Name: 'rotate', ScheduleExpression: 'rate(1 hour)', FlexibleTimeWindow: { Mode: 'OFF' } },
    Target: { Arn: 'arn:aws:lambda:eu-west-1:1:function:f', RoleArn: 'arn:aws:iam::1:role/r' },
  });
  const KeyId = aws.makeKey();
  const { sessionToken: _dropped, ...withoutToken } = account.issue('other');
  const asked = (credentials: Credentials) => {
    const given = { ...options(), credentials };
    const events = new EventBridgeClient(given).send(new PutEventsCommand({ Entries: [{}] }));
    const schedule = new SchedulerClient(given).send(new GetScheduleCommand({ Name: 'rotate' }));
    const key = new KMSClient(given).send(new DescribeKeyCommand({ KeyId }));
    const caller = new STSClient(given).send(new GetCallerIdentityCommand({}));
    return Promise.all([events, schedule, key, caller].map(refusal));
  };
  expect(await asked(options().credentials)).toEqual(Array(4).fill('no error'));
  expect(await asked(withoutToken)).toEqual(Array(4).fill(INVALID_TOKEN));
});
