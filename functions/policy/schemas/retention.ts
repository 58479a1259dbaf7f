import * as z from 'zod/mini';
import { parseRetention, SHORTEST_RETENTION_NS } from '../retention.ts';

const RETENTION = /^(?:infinite|(?:\d+(?:ns|mo|[smhdwy]))+)$/;
const EXPECTED = 'a retention period such as 30d, 26w or infinite';
const INT64_MAX = 9_223_372_036_854_775_807n;

/** A retention period in a policy: `30d`, `26w`, `1y`, `90d12h5ns` or `infinite`. The output is nanoseconds, 0 for infinite. */
export const retentionSchema = z.pipe(
  z.pipe(
    z.string(EXPECTED).check(z.regex(RETENTION, EXPECTED)),
    z.transform((text) => ({ text, period: parseRetention(text) })),
  ),
  z.pipe(
    z.custom<{ text: string; period: bigint }>((value) => {
      const { text, period } = value as { text: string; period: bigint };
      return text === 'infinite' || (period >= SHORTEST_RETENTION_NS && period <= INT64_MAX);
    }, 'a retention period of at least 1h that fits 64 bits, or infinite'),
    z.transform(({ period }) => period),
  ),
);
