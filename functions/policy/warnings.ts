import { DAY_MS, MINUTE_MS } from '../time.ts';
import { formatDuration } from './duration.ts';
import type { Policy } from './policy.ts';
import type { PolicyIssue } from './policy-error.ts';
import { isTimePart } from './schemas/partition-template.ts';
import { DAYS, type Window } from './window.ts';

const WEEK_MS = 7 * DAY_MS;

const isNeverOver = ({ days, fromMinute, toMinute }: Window) =>
  days.length === DAYS.length && fromMinute === toMinute % (24 * 60);

/** How long after its beginning a window begins again, if that is always the same. */
function periodOf(windows: readonly Window[]): number | undefined {
  if (windows.length === 0 || windows.some(isNeverOver)) return undefined;
  const starts = windows
    .flatMap(({ days, fromMinute }) =>
      days.map((day) => DAYS.indexOf(day) * DAY_MS + fromMinute * MINUTE_MS),
    )
    .sort((a, b) => a - b);
  const [first = 0] = starts;
  const periods = new Set(
    starts.map((start, index) => (starts[index + 1] ?? first + WEEK_MS) - start),
  );
  return periods.size === 1 ? [...periods][0] : undefined;
}

/** Partitions that the cluster never merges, because their template names no time. It cannot be changed later. */
function timelessTemplates({ databases }: Policy): PolicyIssue[] {
  const message =
    'has no part of type time, and InfluxDB compacts no partitions without one; add one, such as {type: time, value: "%Y-%m-%d"}, because a template cannot be changed later';
  return databases.flatMap((rule, index) => {
    if (!('name' in rule)) return [];
    const path = ['databases', index];
    return [
      { path, template: rule.partitionTemplate },
      ...rule.tables.map(({ partitionTemplate: template }, table) => ({
        path: [...path, 'tables', table],
        template,
      })),
    ]
      .filter(({ template }) => template && !template.some(isTimePart))
      .map(({ path: owner }) => ({ path: [...owner, 'partitionTemplate'], message }));
  });
}

function rhythmsOfWindows({ tokens }: Policy): PolicyIssue[] {
  return tokens.flatMap(({ name, rotateEvery, windows }) => {
    if (rotateEvery !== periodOf(windows)) return [];
    const shown = formatDuration(rotateEvery);
    const shorter = rotateEvery > 2 * DAY_MS ? rotateEvery - DAY_MS : (rotateEvery * 5) / 6;
    const message = `${shown} is also the time from one window to the next: a rotation that is due a minute after its window waits ${shown} for the next one; choose a shorter time, such as ${formatDuration(shorter)}`;
    return [{ path: ['tokens', name, 'rotateEvery'], message }];
  });
}

function* lifetimes({ tokens }: Policy): Generator<PolicyIssue> {
  for (const { name, rotateEvery, renewBefore, gracePeriod, quarantine, expiresAfter } of tokens) {
    if (gracePeriod === 0) {
      const message =
        '0s takes the old token away as soon as its successor is promoted, while consumers still send it; choose the time after which every consumer has read the secret again';
      yield { path: ['tokens', name, 'gracePeriod'], message };
    }
    const age = Math.min(rotateEvery, (expiresAfter ?? 0) - renewBefore);
    const left = Math.max(0, (expiresAfter ?? 0) - age - 2 * gracePeriod);
    if (expiresAfter !== undefined && quarantine > left) {
      const [shown, life, rest] = [quarantine, expiresAfter, left].map(formatDuration);
      const message = `${shown} is longer than what expiresAfter (${life}) leaves behind its rotation and two grace periods (${rest}): a token expires in its quarantine, and cannot be restored then; choose a shorter time, or a longer expiresAfter`;
      yield { path: ['tokens', name, 'quarantine'], message };
    }
  }
}

/** What a policy may say, and its author should know. */
export const warningsOf = (policy: Policy): PolicyIssue[] => [
  ...rhythmsOfWindows(policy),
  ...lifetimes(policy),
  ...timelessTemplates(policy),
];
