import { expect, test } from 'vitest';
import { formatTable, wrapped } from '../../bin/keyturn/table.ts';

const plain = (_format: string, text: string) => text;
const LONG = `telegraf-${'north-'.repeat(12)}writer`;

test('a table is as wide as it needs to be, and 80 columns at most: a long name is cut, and stands below whole', () => {
  const cells = ['unadopted', 'not asked', '1a2b3c4d', 'armed, in 23h59m', 'in 100d23h'];
  const headings = ['TOKEN', 'STATE', 'STRING', 'ID', 'NEXT ROTATION', 'EXPIRES'];
  const rows = ['a', LONG].map((name) => ({ cells: [name, ...cells], notes: [] }));
  const [heading, short, long, whole, ...rest] = formatTable(headings, rows, plain).split('\n');
  expect([heading, short, long].map((line) => line?.length)).toEqual([77, 80, 80]);
  expect(long).toMatch(/^telegraf-…h-writer {2}unadopted/);
  expect([whole, rest]).toEqual([`  ${LONG}`, []]);
});

test('what is said below a row is broken between words, and no word is', () => {
  const note = `${'word '.repeat(30)}keyturn apply --approve ${'x'.repeat(90)}`;
  const lines = wrapped(note, plain).split('\n');
  expect(lines.every((line) => line.startsWith('  ') && !line.endsWith(' '))).toBe(true);
  expect(lines.filter((line) => line.length > 80)).toEqual([`  ${'x'.repeat(90)}`]);
  expect(lines.join(' ').replaceAll(/ +/g, ' ').trim()).toBe(note);
});

test('nothing that a terminal obeys comes through a cell or a note', () => {
  const obeyed = '\u001b[2J\u202e';
  const rows = [{ cells: [`a${obeyed}`], notes: [`note${obeyed}`] }];
  const said =
    formatTable(['TOKEN'], rows, plain) + formatTable(['A'], [{ cells: [obeyed] }], plain);
  expect([...obeyed].filter((each) => said.includes(each))).toEqual(['[', '2', 'J']);
});
