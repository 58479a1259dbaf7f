import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished, test } from 'vitest';
import { awsCall, awsClient, ForeignAnswerError } from '../../functions/aws-call.ts';
import { TimeoutError, TooLateError } from '../../functions/within.ts';

test('of an error that never ends no more is read than fits, long before the call would be too late', async () => {
  const server = createServer((_asking, response) => {
    response.writeHead(502);
    const write = () => {
      while (!response.destroyed && response.write('<html>'.repeat(1_000)));
    };
    response.on('drain', write);
    write();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const client = awsClient(SecretsManagerClient, {
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  onTestFinished(() => client.destroy());
  const answer = awsCall('GetSecretValue', 3_000, (options) =>
    client.send(new GetSecretValueCommand({ SecretId: 'x' }), options),
  );
  await expect(answer).rejects.toThrow(ForeignAnswerError);
});

test('an error without words, as of several addresses that all refuse, is told by its code', async () => {
  const refused = Object.assign(new AggregateError([], 'none answered'), {
    message: '',
    code: 'ECONNREFUSED',
  });
  const send = () => Promise.reject(refused);
  await expect(awsCall('ListSecrets', 1_000, send)).rejects.toThrow(/^ListSecrets: ECONNREFUSED$/);
});

test('what would begin after the end of a run is not sent', async () => {
  let sent = 0;
  const send = () => Promise.resolve(++sent);
  await expect(awsCall('DescribeSecret', 0, send)).rejects.toThrow(TooLateError);
  expect(sent).toBe(0);
});

test('a call that takes too long is told to stop, so that it keeps neither a socket nor its memory', async () => {
  let signal: AbortSignal | undefined;
  const answer = awsCall('DescribeSecret', 20, ({ abortSignal }) => {
    signal = abortSignal;
    return new Promise(() => {});
  });
  await expect(answer).rejects.toThrow(TimeoutError);
  expect(signal?.aborted).toBe(true);
});

test('an error that several calls share names in each of them that call alone', async () => {
  const shared = new TypeError('Region is missing');
  const send = () => Promise.reject(shared);
  const errors = await Promise.all(
    ['ListSecrets', 'GetSecretValue', 'DescribeSecret'].map((place) =>
      awsCall(place, 3_000, send).catch((error: unknown) => error),
    ),
  );
  expect(errors.map((error) => (error as Error).message)).toEqual([
    'ListSecrets: Region is missing',
    'GetSecretValue: Region is missing',
    'DescribeSecret: Region is missing',
  ]);
  for (const error of errors) expect(error).toBeInstanceOf(TypeError);
});
