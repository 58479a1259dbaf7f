import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { answeringLambda, previewOf, reportOf } from './answering-lambda.ts';
import type { Ended } from './cli.ts';

const STRINGS = ['A', 'B', 'C'].map((letter) => `apiv1_${letter.repeat(86)}`).join('\n');

/** Three orders, of which the second is never answered; Ctrl-C as soon as it is under way. */
async function interruptedAtTheSecond(args: readonly string[]): Promise<Ended> {
  let orders = 0;
  const env = await answeringLambda((event, response) => {
    if (event.dryRun) return response.end(JSON.stringify(previewOf()));
    orders += 1;
    if (orders === 1) return response.end(JSON.stringify(reportOf({ unconfirmed: ['it lives'] })));
    return child.kill('SIGINT');
  });
  const words = ['revoke', '--leaked', '--freeze', '--reason', 'x', '--yes', ...args];
  const child = spawn(process.execPath, ['bin/keyturn.ts', ...words], {
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  child.stdin.end(STRINGS);
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await closed;
  expect(orders).toBe(2);
  return { code, stdout, stderr };
}

const STOPPED = /stopped waiting\. The run goes on in Lambda .*Repeat the same command/;

it('after Ctrl-C the reports of the orders that ended are there, and what became of the others is said', async () => {
  const { code, stdout, stderr } = await interruptedAtTheSecond([]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^string 1 \(line 1\)\nNOT PROVEN {2}it lives\n/);
  const [second, third] = stderr.trim().split('\n').slice(-2);
  expect(second).toMatch(/^keyturn: string 2 \(line 2\): /);
  expect(second).toMatch(STOPPED);
  expect(third).toBe('string 3 (line 3): its order was not given; nothing was done');
});

it('after Ctrl-C standard output is still JSON, with every string', async () => {
  const { code, stdout } = await interruptedAtTheSecond(['--json']);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([
    { line: 1, answer: { done: true, unconfirmed: ['it lives'] } },
    { line: 2, error: expect.stringMatching(STOPPED) },
    { line: 3, error: expect.stringContaining('its order was not given') },
  ]);
});
