import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const MAIN = resolve(import.meta.dirname, '../soak/main.ts');

const live = (...flags: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, ...flags], { encoding: 'utf8' });

const SHORT = ['--seed', '1', '--days', '5', '--tokens', '2', '--threads', '1', '--verbose'];

test('a seed has the same life to the last call, and another seed another one', () => {
  const [one, same, other] = [SHORT, SHORT, [...SHORT, '--seed', '2']].map((flags) => {
    const { stdout } = live(...flags);
    return stdout.replace(/, [\d.]+ token-years a second|.*second.*\n/g, '');
  });
  expect(one).toMatch(/trace [0-9a-f]{16}/);
  expect(same).toBe(one);
  expect(other).not.toBe(one);
});

test('says which flag is wrong', () => {
  const { status, stderr } = live('--seeds', 'many');
  expect(status).toBe(1);
  expect(stderr).toContain('--seeds: found "many", expected a number above 0');
});
