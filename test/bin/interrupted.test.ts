import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AT_ONCE } from '../../bin/keyturn/several-at-once.ts';
import type { whileWaiting } from '../../bin/keyturn/waiting.ts';
import { answeringLambda, FAILED, previewOf, reportOf } from './answering-lambda.ts';
import { type Ended, endOf, start } from './cli.ts';
import { openDeployed } from './operator.ts';

/** One more than are given at once, and another one. */
const COUNT = AT_ONCE + 2;
const STRINGS = [...'ABCDEFGHIJ'].map((letter) => `apiv1_${letter.repeat(86)}`).join('\n');

/** Of several orders the first is answered and the others never; Ctrl-C as soon as all that are given are under way. */
async function interruptedAfterTheFirst(
  args: readonly string[],
  signal: NodeJS.Signals = 'SIGINT',
): Promise<Ended> {
  let orders = 0;
  const env = await answeringLambda((event, response) => {
    if (event.dryRun) return response.end(JSON.stringify(previewOf()));
    orders += 1;
    if (orders === 1) return response.end(JSON.stringify(reportOf({ unconfirmed: ['it lives'] })));
    return orders === AT_ONCE + 1 && child.kill(signal);
  });
  const words = ['revoke', '--leaked', '--freeze', '--reason', 'x', '--yes', ...args];
  const child = start(words, env);
  const ended = await endOf(child, STRINGS);
  expect(orders).toBe(AT_ONCE + 1);
  return ended;
}

const STOPPED = /stopped waiting\. The run goes on in Lambda .*Repeat the same command/;

it.each(['SIGINT', 'SIGHUP'] as const)(
  'after Ctrl-C, or when the terminal is closed, the reports of the orders that ended are there, and what became of the others is said: %s',
  async (signal) => {
    const { code, stdout, stderr } = await interruptedAfterTheFirst([], signal);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^string \d \(line \d\)\nNOT PROVEN {2}it lives\n/);
    const others = stderr
      .trim()
      .split('\n')
      .slice(-(COUNT - 1));
    expect(others.filter((each) => STOPPED.test(each))).toHaveLength(AT_ONCE);
    expect(others.at(-1)).toBe('string 10 (line 10): its order was not given; nothing was done');
  },
);

it('after Ctrl-C standard output is still JSON, with every string', async () => {
  const { code, stdout } = await interruptedAfterTheFirst(['--json']);
  expect(code).toBe(1);
  const told: readonly object[] = JSON.parse(stdout);
  expect(told).toHaveLength(COUNT);
  expect(told.filter((each) => 'answer' in each)).toMatchObject([
    { answer: { done: true, unconfirmed: ['it lives'] } },
  ]);
  expect(told.slice(1, -1)).toContainEqual({
    line: expect.any(Number),
    error: expect.stringMatching(STOPPED),
  });
  expect(told.at(-1)).toEqual({
    line: 10,
    error: expect.stringContaining('its order was not given'),
  });
});

it.each([
  ['revoke', '--token', 'telegraf', '--freeze', '--reason', 'x', '--yes'],
  ['plan'],
  ['status'],
  ['rotate', 'telegraf', '--dry-run'],
  ['whois', '--token-id', '6f1c6f1e-0000-4000-8000-000000000000'],
])('Ctrl-C while nothing was done says that, with 5 and JSON: keyturn %s', async (...words) => {
  const env = await answeringLambda((event) => {
    if (!event.dryRun && event.way !== 'whois') return;
    // npm passes on what the terminal sent already.
    child.kill('SIGINT');
    setTimeout(() => child.kill('SIGINT'), 1);
  });
  const child = start([...words, '--json'], env);
  const { code, stdout, stderr } = await endOf(child);
  expect(code).toBe(5);
  expect(stderr).toBe('keyturn: cancelled; nothing was done\n');
  expect(JSON.parse(stdout)).toEqual({
    error: { kind: 'CommandError', message: 'cancelled; nothing was done' },
  });
});

it('Ctrl-C in a second look says that the first order was done, and never that nothing was', async () => {
  let orders = 0;
  const env = await answeringLambda((event, response) => {
    if (event.dryRun && orders < 2) return response.end(JSON.stringify(previewOf()));
    if (event.dryRun) return child.kill('SIGINT');
    orders += 1;
    if (orders === 1) return response.end(JSON.stringify(reportOf()));
    const error = { errorType: 'PlanChangedError', errorMessage: 'the plan is not the one' };
    return response.writeHead(200, FAILED).end(JSON.stringify(error));
  });
  const child = start(['revoke', '--leaked', '--freeze', '--reason', 'x', '--yes'], env);
  const { code, stdout, stderr } = await endOf(child, STRINGS.split('\n').slice(0, 2).join('\n'));
  expect(code).toBe(1);
  expect(stdout).toMatch(/^string \d .*\nEverything was done/);
  expect(stderr).toContain('stopped; of what was not reported, nothing was done');
  expect(stderr).not.toContain('cancelled');
});

it.each(['pause', 'resume'])('Ctrl-C says which schedules were seen to change: %s', async (way) => {
  const { world, run, env } = await openDeployed();
  const why = way === 'pause' ? ['--reason', 'x'] : [];
  if (way === 'resume') await run(['pause', '--reason', 'x', '--yes']);
  let changes = 0;
  const looked = Promise.withResolvers<void>();
  world.intercept(async (call, effect) => {
    if (call.operation === 'UpdateSchedule') {
      changes += 1;
      if (changes > 1) return await new Promise(() => {});
      setTimeout(looked.resolve, 3_000);
    }
    return effect();
  });
  const child = start([way, ...why, '--yes', '--json'], env);
  looked.promise.then(() => child.kill('SIGINT'));
  const { code, stdout, stderr } = await endOf(child);
  expect(code).toBe(1);
  const { schedules } = JSON.parse(stdout);
  const result = way === 'pause' ? 'stopped' : 'started';
  expect(schedules.map((each: { result: string }) => each.result).sort()).toEqual(
    ['failed', 'failed', result].sort(),
  );
  expect(stdout.match(/stopped waiting\. The change was sent/g)).toHaveLength(2);
  expect(stderr).toMatch(/^keyturn: 1 of 3 schedules are o(?:ff|n), not seen so: /m);
});

it.each([
  [0, 'everything was done', {}],
  [3, 'everything was done, and not all of it is proven', { confirmed: false }],
])(
  'whoever stops reading learns what became of the order: exit code %i',
  async (wanted, meaning, report) => {
    const env = await answeringLambda((event, response) =>
      response.end(JSON.stringify(event.dryRun ? previewOf() : reportOf(report))),
    );
    const words = ['revoke', '--token', 'telegraf', '--freeze', '--reason', 'x', '--yes', '--json'];
    const child = start(words, env);
    child.stdout.destroy();
    child.stdin.end();
    const closed = once(child, 'close');
    const stderr = await text(child.stderr);
    expect((await closed)[0]).toBe(wanted);
    expect(stderr).toMatch(new RegExp(`^keyturn: .*the report is lost: ${meaning}\n$`, 'm'));
    expect(stderr).not.toMatch(/EPIPE|^\s+at /m);
  },
);

it.each([
  [['schema'], ''],
  [['completion', 'bash'], ''],
  [
    ['revoke', '--token', 'telegraf', '--freeze', '--reason', 'x', '--yes', '--json'],
    ': everything was done',
  ],
])('what finds no room on a disk is told, and is no success: %j', async (words, meaning) => {
  const env = await answeringLambda((event, response) =>
    response.end(JSON.stringify(event.dryRun ? previewOf() : reportOf({}))),
  );
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, ['bin/keyturn.cjs', ...words], {
    env,
    stdio: ['ignore', full, 'pipe'],
  });
  closeSync(full);
  const closed = once(child, 'close');
  const stderr = child.stderr ? await text(child.stderr) : '';
  expect((await closed)[0]).toBe(1);
  expect(stderr).toMatch(
    new RegExp(
      `^keyturn: standard output could not be written .*ENOSPC.* is lost${meaning}\n$`,
      'm',
    ),
  );
});

describe('whoever waits is told what for', () => {
  beforeEach(() => {
    vi.resetModules();
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  async function openWaits(isWatched: boolean) {
    const waiting = await import('../../bin/keyturn/waiting.ts');
    const notes: string[] = [];
    const terminal = {
      note: (each: string) => notes.push(each),
      noteStyle: (_format: string, each: string) => each,
      isWatched,
    } as unknown as Parameters<typeof whileWaiting>[0];
    /** Waits for all of them at once. */
    const wait = async (milliseconds: number, ...places: readonly string[]) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const all = places.map((place) =>
        waiting.whileWaiting(terminal, { place, isLook: true }, () => promise),
      );
      await vi.advanceTimersByTimeAsync(milliseconds);
      resolve();
      await Promise.all(all);
    };
    return { notes, wait };
  }

  it('once for each place', async () => {
    const { notes, wait } = await openWaits(false);
    await wait(25_000, 'keyturn-prod-revoke', 'keyturn-prod-revoke', 'this machine');
    await vi.advanceTimersByTimeAsync(25_000);
    expect(notes).toEqual(
      [10, 20].flatMap((seconds) => [
        `  waiting for keyturn-prod-revoke: ${seconds} s`,
        `  waiting for AWS and the cluster: ${seconds} s`,
      ]),
    );
  });

  it('after a second where standard error is a terminal, and then every ten', async () => {
    const { notes, wait } = await openWaits(true);
    await wait(900, 'this machine');
    expect(notes).toEqual([]);
    await wait(25_000, 'this machine');
    expect(notes).toEqual(
      [1, 10, 20].map((seconds) => `  waiting for AWS and the cluster: ${seconds} s`),
    );
  });

  it('not of each of many short waits', async () => {
    const { notes, wait } = await openWaits(true);
    for (let count = 0; count < 10; count++) await wait(2_000, 'this machine');
    expect(notes).toEqual(Array(2).fill('  waiting for AWS and the cluster: 1 s'));
  });
});

it.each([
  [false, 1, 'stopped; of what was not reported, nothing was done'],
  [true, 5, 'cancelled; nothing was done'],
])(
  'Ctrl-C where nothing is waited for is a cancellation only while nothing was done: %s',
  async (isLook, exitCode, message) => {
    vi.resetModules();
    const waiting = await import('../../bin/keyturn/waiting.ts');
    const terminal = {} as Parameters<typeof whileWaiting>[0];
    const command = async () => {
      await waiting.whileWaiting(terminal, { place: 'this machine', isLook }, async () => {});
      process.emit('SIGINT');
      // Such as a person who is asked for another confirmation.
      await new Promise(() => {});
    };
    await expect(waiting.untilInterrupted(command)).rejects.toMatchObject({ exitCode, message });
  },
);
