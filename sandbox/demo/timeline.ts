import { z } from 'zod';
import type { PublishedEvent } from '../aws/state.ts';
import type { LogLine } from '../lambda/instance.ts';
import type { Rejection } from './consumer.ts';
import { wrapped } from './screen.ts';

const lineSchema = z.object({
  message: z.string(),
  timestamp: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export interface Moment {
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

type Details = Readonly<Record<string, unknown>>;

const short = (id: unknown) => String(id).slice(0, 8);
const named = (secret: unknown) => String(secret).replace(/^keyturn\/demo\//, '');

const ACTIONS: Readonly<Record<string, (details: Details) => string>> = {
  supersede: ({ tokenId }) => `${short(tokenId)} marked superseded: its grace period starts`,
  fence: ({ tokenId }) => `${short(tokenId)} grace period over: AWSPREVIOUS removed, still works`,
  quarantine: ({ tokenId }) => `${short(tokenId)} quarantined: no permissions, can be undone`,
  delete: ({ tokenId, reason }) => `${short(tokenId)} deleted (${reason})`,
  'delete-foreign': ({ tokenId, reason }) => `${short(tokenId)} deleted (${reason})`,
  'detach-pending': ({ reason }) => `AWSPENDING removed (${reason})`,
  widen: ({ tokenId }) => `${short(tokenId)} got the permissions that are new in the policy`,
};

function formatAction(details: Details): Omit<Moment, 'at'> | undefined {
  const { database, field, from, to, kind, rule } = details;
  if (database) {
    const done = field === undefined ? kind : `${field} ${database} ${from} -> ${to}`;
    return { who: String(database), what: `${done} (rule ${rule})` };
  }
  const what = ACTIONS[String(details.kind)]?.(details);
  return what === undefined ? undefined : { who: named(details.secret ?? 'others'), what };
}

/** The actions in a function's log, one line each, and its refusals, each only once. */
export function readActions(logs: readonly LogLine[]): Moment[] {
  const refused = new Set<string>();
  return logs.flatMap(({ text }): Moment[] => {
    const parsed = lineSchema.safeParse(parseJson(text));
    if (!parsed.success) return [];
    const { message, timestamp, details = {} } = parsed.data;
    const at = Date.parse(timestamp);
    if (message === 'done') {
      const action = formatAction(details);
      return action ? [{ at, ...action }] : [];
    }
    const [what = ''] = String(details.message).split(' To approve');
    if (details.kind !== 'RetentionRefused' || refused.has(what)) return [];
    refused.add(what);
    return [{ at, who: String(details.database), what }];
  });
}

/** The rotations that the functions published; these events name both tokens. */
export function readRotations(events: readonly PublishedEvent[]): Moment[] {
  return events.flatMap(({ detailType, detail, time }): Moment[] => {
    if (detailType !== 'Token Rotated') return [];
    const { token, tokenId, previousTokenId, reason } = z
      .object({
        token: z.string(),
        tokenId: z.string(),
        previousTokenId: z.string().optional(),
        reason: z.string(),
      })
      .parse(detail);
    const what = previousTokenId
      ? `${short(previousTokenId)} -> ${short(tokenId)} rotated (${reason})`
      : `${short(tokenId)} issued (${reason})`;
    return [{ at: time, who: token, what }];
  });
}

/** One line for each streak: what a consumer is refused with one token, until an hour passes without. */
export function readRejections(rejections: readonly Rejection[]): Moment[] {
  const streaks: { first: Rejection; lastAt: number; count: number }[] = [];
  for (const each of rejections) {
    const streak = streaks.findLast(
      ({ first, lastAt }) =>
        first.consumer === each.consumer &&
        first.tokenId === each.tokenId &&
        each.at - lastAt <= 3_600_000,
    );
    if (streak) Object.assign(streak, { lastAt: each.at, count: streak.count + 1 });
    else streaks.push({ first: each, lastAt: each.at, count: 1 });
  }
  return streaks.map(({ first, lastAt, count }) => {
    const { at, consumer, tokenId, what } = first;
    const seconds = (lastAt - at) / 1_000;
    const more = count > 1 ? `, and ${count - 1} times more within ${seconds} s` : '';
    return { at, who: consumer, what: `REJECTED with ${short(tokenId)}, ${what}${more}` };
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const NAME = 13;
/** Of what happened, behind day, hour and name. */
const INDENT = '  day  1  00:00  '.length + NAME + 1;

const day = (at: number, startAt: number) =>
  `day ${String(Math.floor((at - startAt) / 86_400_000) + 1).padStart(2)}`;
const hour = (at: number) => new Date(at).toISOString().slice(11, 16);

export function formatTimeline(moments: readonly Moment[], startAt: number): string {
  return [...moments]
    .sort((a, b) => a.at - b.at)
    .map(({ at, who, what }) =>
      wrapped(`  ${day(at, startAt)}  ${hour(at)}  ${who.padEnd(NAME)} ${what}`, INDENT),
    )
    .join('\n');
}
