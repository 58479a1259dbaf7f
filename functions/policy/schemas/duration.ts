import * as z from 'zod/mini';
import { DURATION, toMilliseconds } from '../duration.ts';

const EXPECTED = 'a duration such as 30d, 12h or 1h30m';

/** A century: servers that count nanoseconds in 64 bits know no instant after 2262. */
const LONGEST_MS = toMilliseconds('100y');

/** A length of time in a policy: `30d`, `12h`, `90s`, `1h30m`, `1y`. The output is milliseconds. */
export const durationSchema = z.pipe(
  z.string(EXPECTED).check(
    z.regex(DURATION, { error: EXPECTED, abort: true }),
    z.refine(
      (text) => toMilliseconds(text) <= LONGEST_MS,
      'a duration of at most 36500d (a hundred years)',
    ),
  ),
  z.transform(toMilliseconds),
);
