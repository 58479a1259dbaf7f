import { oneLine } from '../harmless.ts';
import type { Style } from './terminal.ts';

type Row = readonly string[];

/** What every terminal has at least. */
const COLUMNS = 80;
const GAP = 2;

/** Each column is as wide as its widest cell, with two spaces between columns. */
export function formatTable(headings: Row, given: readonly Row[], style: Style): string {
  const rows = given.map((row) => row.map(oneLine));
  const widths = widthsOf([headings, ...rows]);
  return [style('bold', lineOf(headings, widths)), ...rows.map((row) => lineOf(row, widths))].join(
    '\n',
  );
}

const widthsOf = ([headings = [], ...rows]: readonly Row[]) =>
  headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );

const lineOf = (
  row: Row,
  widths: readonly number[],
  paint = (cell: string, _column: number) => cell,
) =>
  row
    .map((cell, column) => paint(cell.padEnd(widths[column] ?? 0), column))
    .join(' '.repeat(GAP))
    .trimEnd();

/** A row, what else is to be said of it, and how its cells are shown. */
export interface NotedRow {
  readonly cells: Row;
  readonly notes: readonly string[];
  readonly paint?: (cell: string, column: number) => string;
}

/**
 * The same within 80 columns: the first column, a name, is cut where it has no room, and the whole name then stands below.
 * Notes stand below their row, in lines that fit.
 */
export function formatNotedTable(headings: Row, given: readonly NotedRow[], style: Style): string {
  const rows = given.map(({ cells, ...row }) => ({ ...row, cells: cells.map(oneLine) }));
  const [first = 0, ...others] = widthsOf([headings, ...rows.map(({ cells }) => cells)]);
  const taken = others.reduce((sum, width) => sum + GAP + width, 0);
  const widths = [Math.min(first, Math.max(COLUMNS - taken, 0)), ...others];
  const [room = 0] = widths;
  const lines = rows.flatMap(({ cells: [name = '', ...cells], notes, paint }) => [
    lineOf([cutTo(name, room), ...cells], widths, paint),
    ...(name.length > room ? [`${INDENT}${name}`] : []),
    ...notes.map((note) => wrapped(oneLine(note))),
  ]);
  return [style('bold', lineOf(headings, widths)), ...lines].join('\n');
}

/** Its beginning and its end, since names often differ in their ends. */
function cutTo(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = Math.floor((room - 1) / 2);
  return `${text.slice(0, room - 1 - end)}…${text.slice(text.length - end)}`;
}

const INDENT = '  ';

/** Lines that fit, each below the other and indented. A word that is longer than a line is not broken: people copy it. */
export function wrapped(text: string, indent = INDENT): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    const longer = line === undefined ? undefined : `${line} ${word}`;
    if (longer !== undefined && longer.length <= COLUMNS) lines[lines.length - 1] = longer;
    else lines.push(`${indent}${word}`);
  }
  return lines.join('\n');
}
