import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const MAIN = resolve(import.meta.dirname, '../soak/main.ts');

const live = (...flags: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, '--threads', '1', ...flags], { encoding: 'utf8' });

/** What happened in a life, and its trace, by the number of its seed. */
function livesIn(stdout: string): ReadonlyMap<string, string> {
  const lives = stdout.split(/^(?=seed )/m).map((text): [string, string] => {
    const [life = ''] = text.replace(/, [\d.]+ token-years a second/, '').split('\nlives ');
    return [/^seed (\d+)/.exec(life)?.[1] ?? '', life.trim()];
  });
  return new Map(lives);
}

const SHORT = ['--days', '3', '--tokens', '2', '--verbose'];

test('a seed has the same life to the last call, whatever was lived before it, and another seed another one', {
  timeout: 180_000,
}, () => {
  const both = livesIn(live('--seed', '34', '--seeds', '2', ...SHORT).stdout);
  const alone = livesIn(live('--seed', '35', ...SHORT).stdout);
  expect(both.get('35')).toMatch(/trace [0-9a-f]{16}/);
  expect(alone.get('35')).toBe(both.get('35'));
  const traces = [...both.values()].map((life) => /trace (\w+)/.exec(life)?.[1]);
  expect(new Set(traces).size).toBe(2);
});

test('says which flag is wrong', () => {
  const { status, stderr } = live('--seeds', 'many');
  expect(status).toBe(2);
  expect(stderr).toBe('--seeds: found "many", expected a whole number above 0\n');
});
