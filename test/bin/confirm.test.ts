import { describe, expect, it } from 'vitest';
import { confirmByTyping, readReason } from '../../bin/keyturn/confirm.ts';
import { EXIT } from '../../bin/keyturn/failure.ts';
import type { Terminal } from '../../bin/keyturn/terminal.ts';

/** Somebody at a terminal who answers every question alike. */
const answering = (answer: string, interactive = true): Terminal => ({
  print: () => {},
  clean: (text) => text,
  hasPrinted: false,
  isCut: false,
  printJson: () => {},
  flushed: async () => {},
  note: () => {},
  style: (_format, text) => text,
  noteStyle: (_format, text) => text,
  clear: () => {},
  interactive,
  isWatched: false,
  ask: async () => answer,
  readHidden: async () => answer,
});

const cancelled = (message: RegExp) =>
  expect.objectContaining({ exitCode: EXIT.cancelled, message: expect.stringMatching(message) });

describe('a confirmation', () => {
  it('is the very word, with or without spaces around it', async () => {
    await confirmByTyping('telegraf', '--yes', answering(' telegraf '));
  });

  it.each(['yes', 'Telegraf', ''])('is not "%s"', async (typed) => {
    const confirmed = confirmByTyping('telegraf', '--yes', answering(typed));
    await expect(confirmed).rejects.toEqual(
      cancelled(/expected telegraf, found another word; nothing was done/),
    );
  });

  it('wants a person, or the flag that scripts give', async () => {
    const confirmed = confirmByTyping('telegraf', '--yes', answering('telegraf', false));
    await expect(confirmed).rejects.toEqual(cancelled(/expected --yes; nothing was done/));
  });
});

describe('a reason', () => {
  it('is what was given, or else what a person answers', async () => {
    expect(await readReason('drill ', answering('never asked'))).toBe('drill');
    expect(await readReason(undefined, answering('odd writes'))).toBe('odd writes');
  });

  it('is no token string, which the log would show', async () => {
    const secret = 's3cret-_'.repeat(11);
    const typed = readReason(undefined, answering(`found apiv1_${secret}`));
    await expect(typed).rejects.toThrow(/found a token string in the reason.*--leaked/);
    await expect(typed).rejects.not.toThrow(/s3cret/);
  });

  it.each([
    ['blank', answering('  ')],
    ['left out of a script', answering('drill', false)],
  ])('is not %s', async (_what, terminal) => {
    await expect(readReason(undefined, terminal)).rejects.toEqual(cancelled(/--reason TEXT/));
  });
});
