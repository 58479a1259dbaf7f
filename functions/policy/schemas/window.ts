import * as z from 'zod/mini';
import { DAYS, type Window } from '../window.ts';

type Day = (typeof DAYS)[number];
const DAY = `(?:${DAYS.join('|')})`;
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const WINDOW = new RegExp(
  `^(?:(daily|${DAY}(?:-${DAY})?(?:,${DAY}(?:-${DAY})?)*) )?(${TIME})-(${TIME}|24:00)$`,
);

function parseDays(text: string | undefined): readonly Day[] {
  if (text === undefined || text === 'daily') return DAYS;
  return text.split(',').flatMap((part) => {
    const [first = '', last = first] = part.split('-');
    const from = DAYS.indexOf(first as Day);
    const length = ((DAYS.indexOf(last as Day) - from + 7) % 7) + 1;
    return Array.from({ length }, (_, step) => DAYS[(from + step) % 7] as Day);
  });
}

function parseTime(text = ''): number {
  const [hours, minutes] = text.split(':');
  return Number(hours) * 60 + Number(minutes);
}

function parseWindow(text: string): Window {
  const [, days, from, to] = WINDOW.exec(text) ?? [];
  return { days: parseDays(days), fromMinute: parseTime(from), toMinute: parseTime(to) };
}

/** `Mon-Fri 09:00-17:00`, `Sat,Sun 22:00-04:00`, `daily 02:00-05:00` or `02:00-05:00`. */
export const windowSchema = z.pipe(
  z.string().check(z.regex(WINDOW, 'a window such as "Mon-Fri 09:00-17:00"')),
  z.transform(parseWindow),
);
