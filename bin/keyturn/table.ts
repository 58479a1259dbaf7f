import { oneLine } from '../harmless.ts';
import type { Style } from './terminal.ts';

type Row = readonly string[];

/** What every terminal has at least, and what a file or a pipe gets. */
const COLUMNS = 80;
const GAP = 2;
/** The beginning and the end of a name, by which people know it again. */
const LEAST_NAME = 14;

/** A row, what else is to be said of it, and how its cells are shown. */
export interface TableRow {
  readonly cells: Row;
  readonly notes?: readonly string[];
  readonly paint?: (cell: string, column: number) => string;
}

/**
 * Within the width of the terminal, or 80 columns: each column is as wide as its widest cell. The last columns stand below their
 * rows where there is no room for them. The first column, a name, is then cut where it has no room, and the whole name stands below.
 * Notes stand below their row, in lines that fit.
 */
export function formatTable(headings: Row, given: readonly TableRow[], style: Style): string {
  const columns = columnsOf(style);
  const rows = given.map(({ cells, ...row }) => ({ ...row, cells: cells.map(oneLine) }));
  const widths = fitted(widthsOf([headings, ...rows.map(({ cells }) => cells)]), columns);
  const [room = 0] = widths;
  const lines = rows.flatMap(({ cells: [name = '', ...cells], notes = [], paint }) => [
    lineOf([cutTo(name, room), ...cells], widths, paint),
    ...(name.length > room ? [filled(name, INDENT, columns)] : []),
    ...cells.flatMap((cell, index) => {
      const column = index + 1;
      if (column < widths.length || cell === '') return [];
      const text = filled(`${headings[column]?.toLowerCase()}: ${cell}`, INDENT, columns);
      return [paint?.(text, column) ?? text];
    }),
    ...notes.map((note) => filled(oneLine(note), INDENT, columns)),
  ]);
  return [style('bold', lineOf(headings, widths)), ...lines].join('\n');
}

const widthsOf = ([headings = [], ...rows]: readonly Row[]) =>
  headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );

/** Of the columns that stay in the rows. */
function fitted([first = 0, ...others]: readonly number[], columns: number): readonly number[] {
  const room = columns - others.reduce((sum, width) => sum + GAP + width, 0);
  if (others.length === 0 || room >= Math.min(first, LEAST_NAME)) {
    return [Math.min(first, room), ...others];
  }
  return fitted([first, ...others.slice(0, -1)], columns);
}

const lineOf = (
  row: Row,
  widths: readonly number[],
  paint = (cell: string, _column: number) => cell,
) =>
  widths
    .map((width, column) => paint((row[column] ?? '').padEnd(width), column))
    .join(' '.repeat(GAP))
    .trimEnd();

/** Its beginning and its end, since names often differ in their ends. */
function cutTo(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = Math.floor((room - 1) / 2);
  return `${text.slice(0, room - 1 - end)}…${text.slice(text.length - end)}`;
}

const INDENT = '  ';

const columnsOf = (style: Style) => style.columns?.() ?? COLUMNS;

/** A word that is longer than a line is not broken: people copy it. */
function filled(text: string, indent: string, columns: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    const longer = line === undefined ? undefined : `${line} ${word}`;
    if (longer !== undefined && longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(`${indent}${word}`);
  }
  return lines.join('\n');
}

/** Lines that fit the terminal, each below the other and indented. */
export const wrapped = (text: string, style: Style, indent = INDENT): string =>
  filled(text, indent, columnsOf(style));

/** What is said stands beside its label, or below it where that would leave less than half of a line; and what else is said stands below. */
export function hanging(
  label: string,
  [said, ...more]: readonly [string, ...string[]],
  style: Style,
): readonly [string, ...string[]] {
  const isBeside = columnsOf(style) >= 2 * label.length;
  const lines = (text: string) =>
    wrapped(text, style, isBeside ? ' '.repeat(label.length) : INDENT);
  const first = lines(said);
  return [
    isBeside ? label + first.slice(label.length) : `${label.trimEnd()}\n${first}`,
    ...more.map(lines),
  ];
}

/** `databases  telemetry, metrics`: what is said stands beside its label, or below it if a word has no room there. */
export function labelled(label: string, said: string, style: Style): string {
  const columns = columnsOf(style);
  const lines = (indent: string) => filled(oneLine(said), indent, columns);
  const beside = lines(' '.repeat(label.length));
  return beside.split('\n').every((line) => line.length <= columns)
    ? style('bold', label) + beside.slice(label.length)
    : `${style('bold', label.trimEnd())}\n${lines(INDENT)}`;
}
