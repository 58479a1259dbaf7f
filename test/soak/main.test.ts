import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

test('ends without a word as soon as nobody reads what it prints', async () => {
  const words = '--seed 1 --seeds 1000 --days 1 --tokens 1 --threads 1'.split(' ');
  const child = spawn(process.execPath, ['test/soak/main.ts', ...words]);
  child.stdout.destroy();
  const said = text(child.stderr);
  const [code] = await once(child, 'exit');
  expect([code, await said]).toEqual([0, '']);
});

test('a life that is not over when the minutes are is told, and left', async () => {
  const words = '--minutes 0.5 --days 400 --tokens 40 --threads 1'.split(' ');
  const child = spawn(process.execPath, ['test/soak/main.ts', ...words]);
  const said = text(child.stdout);
  const [code] = await once(child, 'exit');
  // Nothing was lived, so that nothing is shown.
  expect(code).toBe(1);
  expect(await said).toMatch(/^seed \d{11}: it was not over when the time was\nlives +0\n/);
});
