import { expect, it } from 'vitest';
import { answerOf } from '../../../sandbox/lambda/limits.ts';
import { functionOf, startHost } from './fixtures.ts';

it('runs in the task root, which cannot be written to; a folder of its own can', async () => {
  const source = `import { writeFileSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    const attempt = (file) => { try { writeFileSync(file, 'x'); return 'written'; } catch ({ code }) { return code; } };
    export const handler = async () => [
      process.cwd() === process.env.LAMBDA_TASK_ROOT,
      attempt('policy.json'), attempt(process.env.LAMBDA_TASK_ROOT + '/new'), attempt(tmpdir() + '/new'),
    ];`;
  const { host } = startHost([functionOf('write', source)]);
  expect(await host.invoke('write', {})).toEqual({
    result: [true, 'ERR_ACCESS_DENIED', 'ERR_ACCESS_DENIED', 'written'],
  });
});

const hoard = `let kept = [];
  export const handler = async ({ megabytes, forever }) => {
    kept.push(Buffer.alloc(megabytes * 1_048_576, 1));
    if (forever) await new Promise(() => setInterval(() => {}, 1_000));
    return kept.length;
  };`;

// Linux says how much a process had; elsewhere nobody is stopped.
it.runIf(process.platform === 'linux')(
  'kills a process that had more memory than its function has, and starts another one',
  async () => {
    const { host } = startHost([functionOf('hoard', hoard, { memoryMb: 256 })]);
    expect(await host.invoke('hoard', { megabytes: 1 })).toEqual({ result: 1 });
    const killed = {
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringContaining('signal: killed'),
    };
    expect(await host.invoke('hoard', { megabytes: 300 })).toMatchObject({ error: killed });
    expect(await host.invoke('hoard', { megabytes: 300, forever: true })).toMatchObject({
      error: killed,
    });
    expect(await host.invoke('hoard', { megabytes: 1 })).toEqual({ result: 1 });
    expect(host.instances.map(({ state }) => state)).toEqual(['ended', 'ended', 'warm']);
  },
);

const repeat = 'export const handler = async ({ length }) => "a".repeat(length);';

it('answers no more than six megabytes', async () => {
  const { host } = startHost([functionOf('repeat', repeat)]);
  // The quotes count.
  const longest = 6_291_554;
  expect(await host.invoke('repeat', { length: longest })).toEqual({
    result: 'a'.repeat(longest),
  });
  expect(await host.invoke('repeat', { length: longest + 1 })).toEqual({
    error: {
      errorType: 'Function.ResponseSizeTooLarge',
      errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      trace: [],
    },
  });
  expect(await host.invoke('repeat', { length: 1 })).toEqual({ result: 'a' });
});

it('counts bytes, not characters', () => {
  expect(answerOf(JSON.stringify('ä'.repeat(3_200_000)))).toMatchObject({
    error: { errorType: 'Function.ResponseSizeTooLarge' },
  });
});

it('takes no event of more than six megabytes', async () => {
  const { host } = startHost([functionOf('repeat', repeat)]);
  await expect(
    host.invoke('repeat', { length: 1, ballast: 'b'.repeat(6_300_000) }),
  ).rejects.toThrow('is too large for the Invoke operation');
});
