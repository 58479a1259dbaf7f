import { redact } from '../credentials.ts';

/** Who stopped a schedule, when and why, as `keyturn pause` writes it behind the schedule's description. */
export interface PauseNote {
  /** `2026-01-31T00:00:00Z` */
  readonly at: string;
  /** The end of the caller's ARN, such as `assumed-role/on-call/alice`. */
  readonly by: string;
  readonly reason: string;
}

/** In bytes, so that it holds whatever the service counts: `Description` of CreateSchedule has at most 512. */
const LONGEST_DESCRIPTION = 512;
const LONGEST_REASON = 200;
const LONGEST_CALLER = 150;

const NOTE = / ?\[keyturn:paused (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) by (\S+): ([^[\]]*)\]$/;

/** A description without the note at its end, exactly as it was before, and that note. */
export function readPauseNote(description = ''): {
  readonly text: string;
  readonly note?: PauseNote;
} {
  const found = NOTE.exec(description);
  if (!found) return { text: description };
  const [, at = '', by = '', reason = ''] = found;
  // Whoever may change the schedule may write anything here.
  return {
    text: description.slice(0, found.index),
    note: { at, by: redact(by), reason: redact(reason) },
  };
}

function cut(text: string, bytes: number): string {
  const fits = (part: string) => Buffer.byteLength(part) <= bytes;
  if (fits(text)) return text;
  const characters = [...text];
  while (characters.length > 0 && !fits(`${characters.join('')}…`)) characters.pop();
  return characters.length > 0 ? `${characters.join('')}…` : '';
}

/** One line without what would end the note: brackets, control characters, and those that turn text around. */
const inOneLine = (text: string) =>
  redact(text)
    .replaceAll('[', '(')
    .replaceAll(']', ')')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();

/**
 * A description with a note behind it. The text before it stays as it is, and a long reason is cut. Undefined:
 * the text leaves no room for a note.
 */
export function withPauseNote(text: string, { at, by, reason }: PauseNote): string | undefined {
  const caller = cut(by.replace(/[^\w+=,.@/:-]/g, '?') || 'unknown', LONGEST_CALLER);
  const described = (why: string) =>
    `${text}${text === '' ? '' : ' '}[keyturn:paused ${at} by ${caller}: ${why}]`;
  const room = LONGEST_DESCRIPTION - Buffer.byteLength(described(''));
  if (room < 0) return undefined;
  return described(cut(inOneLine(reason), Math.min(room, LONGEST_REASON)));
}
