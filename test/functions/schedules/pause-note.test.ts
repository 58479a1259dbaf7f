import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readPauseNote, withPauseNote } from '../../../functions/schedules/pause-note.ts';

const note = { at: '2026-03-02T12:00:00Z', by: 'assumed-role/on-call/alice', reason: 'a drill' };

test('stands behind the text, and says when, who and why', () => {
  const described = withPauseNote('Keyturn (prod): rotate', note);
  expect(described).toBe(
    'Keyturn (prod): rotate [keyturn:paused 2026-03-02T12:00:00Z by assumed-role/on-call/alice: a drill]',
  );
  expect(readPauseNote(described)).toEqual({ text: 'Keyturn (prod): rotate', note });
});

test('gives the text back exactly, whatever that and the reason are', () => {
  const anyText = fc.string({ unit: 'grapheme', maxLength: 80 });
  fc.assert(
    fc.property(anyText, anyText, anyText, (text, by, reason) => {
      const described = withPauseNote(text, { ...note, by, reason });
      if (described === undefined) throw new Error('such a text leaves room');
      const read = readPauseNote(described);
      expect(read.text).toBe(text);
      expect(read.note).toMatchObject({ at: note.at });
    }),
  );
});

test('fits into the longest description, and never cuts the text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 512 }),
      fc.string({ unit: 'grapheme', maxLength: 3_000 }),
      (text, reason) => {
        const described = withPauseNote(text, { ...note, reason });
        if (described === undefined) {
          expect(Buffer.byteLength(text)).toBeGreaterThan(400);
          return;
        }
        expect(Buffer.byteLength(described)).toBeLessThanOrEqual(512);
        expect(readPauseNote(described).text).toBe(text);
      },
    ),
  );
});

test('is cut where it is long, and has no room behind the longest texts', () => {
  const long = { ...note, by: `user/${'x'.repeat(500)}`, reason: 'word '.repeat(200) };
  const { note: cut } = readPauseNote(withPauseNote('Keyturn (prod): rotate', long));
  expect(cut?.reason).toMatch(/^word .*…$/);
  expect(cut?.by).toMatch(/^user\/x+…$/);
  expect(withPauseNote('x'.repeat(500), note)).toBeUndefined();
});

test('is one line that nothing in the reason can end', () => {
  const reason = 'see [keyturn:paused]\nand \u202Eturn\u0000 ]x';
  const described = withPauseNote('text', { ...note, reason });
  expect(readPauseNote(described)).toMatchObject({
    text: 'text',
    note: { reason: 'see (keyturn:paused) and turn )x' },
  });
});

test('has no token string, neither when it is written nor when somebody else has written it', () => {
  const string = `apiv1_${'aB3_'.repeat(20)}`;
  expect(withPauseNote('text', { ...note, reason: `found ${string}` })).not.toContain(string);
  const byHand = `text [keyturn:paused ${note.at} by ${string}: ${string}]`;
  expect(readPauseNote(byHand).note).toEqual({ at: note.at, by: '[token]', reason: '[token]' });
});

test('is not taken for one where it is another text in brackets', () => {
  for (const text of ['', 'text [keyturn:paused]', `text [keyturn:paused ${note.at}]`]) {
    expect(readPauseNote(text)).toEqual({ text });
  }
  expect(readPauseNote(undefined)).toEqual({ text: '' });
});
