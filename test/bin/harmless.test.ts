import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { harmless } from '../../bin/harmless.ts';
import { formatTable } from '../../bin/keyturn/table.ts';
import { createTerminal } from '../../bin/keyturn/terminal.ts';
import { HOUR } from '../world/policy.ts';
import { openDeployed } from './operator.ts';

/** Clears the screen, colours, renames the window, turns the direction, fakes a line: also with 8-bit controls. */
const HOSTILE =
  'x\u001b[2J\u001b[31mred\u001b]0;title\u0007\u009b2J\u202Eback\u2028more\r\nEverything was done';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const OBEYED = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202E\u2028]/;

function fakeTerminal() {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const streams = { stdin, stdout, stderr } as unknown as Parameters<typeof createTerminal>[0];
  return { terminal: createTerminal(streams), shown: () => `${stdout.read()}${stderr.read()}` };
}

it('nothing that is printed steers the terminal, and a name in a table begins no line', () => {
  const { terminal, shown } = fakeTerminal();
  terminal.print(HOSTILE);
  terminal.note(HOSTILE);
  terminal.print(formatTable(['A'], [{ cells: [HOSTILE] }], terminal.style));
  terminal.printJson({ description: HOSTILE });
  const said = shown();
  expect(said).not.toMatch(OBEYED);
  expect(said).toMatch(/^A\nx .*Everything was done\n/m);
});

it('JSON says all the same what was there', () => {
  const { terminal, shown } = fakeTerminal();
  terminal.printJson({ description: HOSTILE });
  expect(JSON.parse(shown().replace(/null$/, ''))).toEqual({ description: HOSTILE });
});

it('our own styles stay where there are any', () => {
  const text = '\u001b[1mbold\u001b[22m and \u001b[8mhidden';
  expect(harmless(text, { isStyled: true })).toBe('\u001b[1mbold\u001b[22m and  [8mhidden');
  expect(harmless(text, { isStyled: false })).not.toMatch(OBEYED);
});

it('a foreign description cannot hide what a person confirms', { timeout: 120_000 }, async () => {
  const { world, run } = await openDeployed();
  await world.rotate();
  await world.wait(HOUR);
  const permissions = [{ action: 'write', resource: 'telemetry' }];
  const { id } = await world.people.mint({ description: HOSTILE, permissions });
  for (const words of [
    ['whois', '--token-id', id],
    ['revoke', '--token-id', id, '--dry-run'],
  ]) {
    const { code, stdout, stderr } = await run(words);
    expect(code).toBe(0);
    expect(stdout).toContain(id.slice(0, 8));
    expect(stdout + stderr).not.toMatch(OBEYED);
    expect(stdout).not.toMatch(/^Everything was done/m);
  }
});
