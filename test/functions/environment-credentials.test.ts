import { afterEach, expect, test, vi } from 'vitest';
import { defaultProvider } from '../../functions/environment-credentials.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('the credentials of Lambda have a session token, without which AWS refuses every call', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'an id');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'a key');
  vi.stubEnv('AWS_SESSION_TOKEN', 'a session');
  expect(await defaultProvider()()).toEqual({
    accessKeyId: 'an id',
    secretAccessKey: 'a key',
    sessionToken: 'a session',
  });
});

test('an environment without credentials is an error that names the variables', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  await expect(defaultProvider()()).rejects.toThrow('AWS_ACCESS_KEY_ID');
});
