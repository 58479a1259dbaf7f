import { expect, test } from 'vitest';
import { uncheckedTls } from '../../functions/environment.ts';
import { createRuntime } from '../../functions/runtime.ts';
import { keyturn } from './cli.ts';

const OFF = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
const SENTENCE =
  /^keyturn: found NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment, .* expected none; unset it, and name the authority of your cluster in the policy file: cluster\.ca\. Nothing was done\n$/m;

test.each([['validate'], ['plan', '--local'], ['status'], ['whois', '--leaked']])(
  'keyturn %s does nothing where certificates would not be checked',
  async (...args) => {
    const { code, stdout, stderr } = await keyturn(args, { env: OFF });
    expect(stdout).toBe('');
    expect(stderr).toMatch(SENTENCE);
    expect(code).not.toBe(0);
  },
);

test('what leaves the check on is no reason to refuse', async () => {
  for (const value of ['1', '', 'false']) {
    expect(uncheckedTls({ NODE_TLS_REJECT_UNAUTHORIZED: value })).toBeUndefined();
  }
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: '1' };
  expect((await keyturn(['validate', 'keyturn.example.yaml'], { env })).code).toBe(0);
});

test('no function makes a client there', () => {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  try {
    // biome-ignore lint/suspicious/noExplicitAny: it is refused before anything of it is read
    expect(() => createRuntime({ policy: {}, log: {} } as any)).toThrow(/expected none; unset it/);
  } finally {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  }
});
