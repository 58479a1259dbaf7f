import type { Check, CheckState } from '../../../functions/examination/check.ts';
import { counted } from '../../../functions/run/counted.ts';
import { oneLine } from '../../harmless.ts';
import { hanging } from '../table.ts';
import type { Style } from '../terminal.ts';
import type { Group } from './diagnose.ts';

const MARKS: Readonly<Record<CheckState, readonly [mark: string, style: Parameters<Style>[0]]>> = {
  ok: ['ok', 'green'],
  warn: ['warning', 'yellow'],
  fail: ['FAILED', 'red'],
  unknown: ['unknown', 'yellow'],
};
const INDENT = 9;

function formatCheck({ check, state, found, advice }: Check, style: Style): string {
  const [mark, how] = MARKS[state];
  const lines = hanging(
    mark.padEnd(INDENT),
    [oneLine(`${check}: ${found}`), ...(advice === undefined ? [] : [oneLine(`To do: ${advice}`)])],
    style,
  ).join('\n');
  return style(how, mark) + lines.slice(mark.length);
}

export const countOf = (groups: readonly Group[], state: CheckState): number =>
  groups.flatMap(({ checks }) => checks).filter((each) => each.state === state).length;

/** `31 checks: 28 ok, 2 warnings, 1 failed, 0 unknown` */
export function summaryOf(groups: readonly Group[]): string {
  const all = groups.flatMap(({ checks }) => checks).length;
  return `${counted(all, 'check')}: ${countOf(groups, 'ok')} ok, ${counted(countOf(groups, 'warn'), 'warning')}, ${countOf(groups, 'fail')} failed, ${countOf(groups, 'unknown')} unknown`;
}

/** What was looked at, found, and is to do. */
export const formatDiagnosis = (groups: readonly Group[], style: Style): string =>
  groups
    .map(({ title, checks }) =>
      [style('bold', title), ...checks.map((each) => formatCheck(each, style))].join('\n'),
    )
    .join('\n\n');
