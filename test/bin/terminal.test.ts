import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createTerminal } from '../../bin/keyturn/terminal.ts';

/** A terminal of which both directions can be seen. */
function fakeTerminal({ isTTY = true, most = 1_000 } = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const streams = { stdin, stdout, stderr } as unknown as Parameters<typeof createTerminal>[0];
  Object.assign(stdin, { isTTY });
  return {
    stdin,
    stdout,
    stderr,
    terminal: createTerminal(streams, most),
    shown: () => `${stdout.read()}${stderr.read()}`,
  };
}

test('reads all lines of what is pasted, and shows none of them', async () => {
  const { stdin, terminal, shown } = fakeTerminal();
  const read = terminal.readHidden('Paste: ');
  stdin.write('apiv1_one\nTWO\n');
  stdin.write('the last');
  expect((await read).trim()).toBe('apiv1_one\nTWO\nthe last');
  expect(shown()).not.toMatch(/one|TWO|last/);
});

test('empties the screen where standard output is one, and writes nothing into a file or a pipe', () => {
  const { terminal, stdout } = fakeTerminal();
  terminal.clear();
  expect(stdout.read()).toBe(null);
  Object.assign(stdout, { isTTY: true });
  terminal.clear();
  expect(String(stdout.read())).toBe('\u001b[2J\u001b[3J\u001b[H');
});

test('knows whether a person may see its notes, and how wide a line is there', () => {
  const { terminal, stderr } = fakeTerminal();
  expect([terminal.isWatched, terminal.noteStyle.columns?.()]).toEqual([false, undefined]);
  Object.assign(stderr, { isTTY: true, columns: 132 });
  expect([terminal.isWatched, terminal.noteStyle.columns?.()]).toEqual([true, 132]);
});

test('reads the one line that is pasted', async () => {
  const { stdin, terminal } = fakeTerminal();
  const read = terminal.readHidden('Paste: ');
  stdin.write('apiv1_one\r');
  expect((await read).trim()).toBe('apiv1_one');
});

test('says of what it cannot read what it is', async () => {
  const read = (content: string | Buffer, most?: number) => {
    const { stdin, terminal } = fakeTerminal({ isTTY: false, ...(most && { most }) });
    stdin.end(content);
    return terminal.readHidden('');
  };
  await expect(read(gzipSync('apiv1_x'))).rejects.toThrow('found something compressed');
  await expect(read('x'.repeat(2 ** 20 + 1), 2 ** 20)).rejects.toThrow('found more than 1 MB');
  expect(await read('Füße')).toBe('Füße');
});
