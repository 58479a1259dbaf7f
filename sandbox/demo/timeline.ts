import { z } from 'zod';
import type { PublishedEvent } from '../aws/state.ts';
import type { LogLine } from '../lambda/instance.ts';

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

const DEEDS: Readonly<Record<string, (details: Details) => string>> = {
  supersede: ({ tokenId }) => `${short(tokenId)} marked superseded: its grace period begins`,
  fence: ({ tokenId }) => `${short(tokenId)} grace over: AWSPREVIOUS taken off, still works`,
  quarantine: ({ tokenId }) => `${short(tokenId)} quarantined: no permissions, can be undone`,
  delete: ({ tokenId, reason }) => `${short(tokenId)} deleted (${reason})`,
  'delete-foreign': ({ tokenId, reason }) => `${short(tokenId)} deleted (${reason})`,
  'detach-pending': ({ reason }) => `AWSPENDING taken off (${reason})`,
  widen: ({ tokenId }) => `${short(tokenId)} got the permissions that the policy adds`,
};

function deedOf(details: Details): Omit<Moment, 'at'> | undefined {
  if (details.database) return { who: String(details.database), what: String(details.text) };
  const what = DEEDS[String(details.kind)]?.(details);
  return what === undefined ? undefined : { who: named(details.secret ?? 'others'), what };
}

/** What a function's log says that it did, one line per decision, and what it refuses, said once. */
export function readDeeds(logs: readonly LogLine[]): Moment[] {
  const refused = new Set<string>();
  return logs.flatMap(({ text }): Moment[] => {
    const parsed = lineSchema.safeParse(parseJson(text));
    if (!parsed.success) return [];
    const { message, timestamp, details = {} } = parsed.data;
    const at = Date.parse(timestamp);
    if (message === 'done') {
      const deed = deedOf(details);
      return deed ? [{ at, ...deed }] : [];
    }
    const [what = ''] = String(details.message).split(' To approve');
    if (details.kind !== 'RetentionRefused' || refused.has(what)) return [];
    refused.add(what);
    return [{ at, who: String(details.database), what }];
  });
}

/** What the functions published of rotations: these name both tokens. */
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const day = (at: number, startAt: number) =>
  `day ${String(Math.floor((at - startAt) / 86_400_000) + 1).padStart(2)}`;
const hour = (at: number) => new Date(at).toISOString().slice(11, 16);

export function formatTimeline(moments: readonly Moment[], startAt: number): string {
  return [...moments]
    .sort((a, b) => a.at - b.at)
    .map(({ at, who, what }) => `  ${day(at, startAt)}  ${hour(at)}  ${who.padEnd(9)} ${what}`)
    .join('\n');
}
