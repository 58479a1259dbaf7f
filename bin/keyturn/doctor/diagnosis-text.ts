import type { Check, CheckState } from '../../../functions/examination/check.ts';
import { counted } from '../../../functions/run/counted.ts';
import { oneLine } from '../../harmless.ts';
import type { Style } from '../terminal.ts';
import type { Group } from './diagnose.ts';

const WIDTH = 80;

const MARKS: Readonly<Record<CheckState, readonly [mark: string, style: Parameters<Style>[0]]>> = {
  ok: ['ok', 'green'],
  warn: ['warning', 'yellow'],
  fail: ['FAILED', 'red'],
  unknown: ['unknown', 'yellow'],
};
const INDENT = 9;

/** Lines of words that fit beside the marks; a word that is longer stands by itself. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(' ').filter(Boolean)) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - INDENT) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function formatCheck({ check, state, found, advice }: Check, style: Style): string {
  const [mark, how] = MARKS[state];
  const [first = '', ...more] = [
    ...wrapped(`${check}: ${found}`),
    ...(advice === undefined ? [] : wrapped(`To do: ${advice}`)),
  ];
  const margin = ' '.repeat(INDENT);
  return [
    `${style(how, mark)}${' '.repeat(INDENT - mark.length)}${first}`,
    ...more.map((line) => `${margin}${line}`),
  ].join('\n');
}

export const countOf = (groups: readonly Group[], state: CheckState): number =>
  groups.flatMap(({ checks }) => checks).filter((each) => each.state === state).length;

/** `31 checks: 28 ok, 2 warnings, 1 failed, 0 unknown` */
export function summaryOf(groups: readonly Group[]): string {
  const all = groups.flatMap(({ checks }) => checks).length;
  return `${counted(all, 'check')}: ${countOf(groups, 'ok')} ok, ${counted(countOf(groups, 'warn'), 'warning')}, ${countOf(groups, 'fail')} failed, ${countOf(groups, 'unknown')} unknown`;
}

/** What was looked at, found, and is to do, in 80 columns. */
export const formatDiagnosis = (groups: readonly Group[], style: Style): string =>
  groups
    .map(({ title, checks }) =>
      [style('bold', title), ...checks.map((each) => formatCheck(each, style))].join('\n'),
    )
    .join('\n\n');
