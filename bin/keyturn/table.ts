import { oneLine } from '../harmless.ts';
import type { Style } from './terminal.ts';

type Row = readonly string[];

/** Each column is as wide as its widest cell, with two spaces between columns. */
export function formatTable(headings: Row, given: readonly Row[], style: Style): string {
  const rows = given.map((row) => row.map(oneLine));
  const widths = headings.map((_, column) =>
    Math.max(...[headings, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: Row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [style('bold', line(headings)), ...rows.map(line)].join('\n');
}
