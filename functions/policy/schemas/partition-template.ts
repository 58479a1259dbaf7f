import * as z from 'zod/mini';
import { textSchema } from './text.ts';

const tagKey = textSchema('the key of a tag').check(
  z.refine(
    (key) => key !== 'time',
    'the key of a tag: "time" is none; write a part of type time, such as {type: time, value: "%Y-%m-%d"}',
  ),
);

/** Years, months and days, with anything between them but what separates the parts of a partition's key. */
const timeFormat = textSchema('a time format').check(
  z.regex(
    /^(?=.*%[Ymd])(?:%[Ymd]|[^%|!^#])+$/,
    '"%Y-%m-%d", "%Y-%m" or "%Y"; InfluxDB knows no other specifiers here',
  ),
);

const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('tag'), value: tagKey }),
  z.strictObject({ type: z.literal('time'), value: timeFormat }),
  z.strictObject({
    type: z.literal('bucket'),
    value: z.strictObject({
      tagName: tagKey,
      numberOfBuckets: z.int().check(z.minimum(1), z.maximum(100_000)),
    }),
  }),
]);
type Part = z.output<typeof part>;

export const isTimePart = ({ type }: Part): boolean => type === 'time';

const tagsIn = (parts: readonly Part[]) =>
  parts.flatMap(({ type, value }) =>
    type === 'tag' ? [value] : type === 'bucket' ? [value.tagName] : [],
  );

const MOST_TAGS = 7;

/**
 * How a database or a table is partitioned. The number of parts and of buckets is in the specification of `POST /databases`, the rest
 * in https://docs.influxdata.com/influxdb3/clustered/admin/custom-partitions/partition-templates/
 */
export const partitionTemplate = z.array(part).check(
  z.minLength(1),
  z.maxLength(8),
  z.refine(
    (parts) => parts.filter(isTimePart).length <= 1,
    'one part of type time; name the smallest unit in it, such as "%Y-%m-%d"',
  ),
  z.refine(
    (parts) => tagsIn(parts).length <= MOST_TAGS,
    `at most ${MOST_TAGS} parts of type tag or bucket, beside one of type time`,
  ),
  z.refine(
    (parts) => new Set(tagsIn(parts)).size === tagsIn(parts).length,
    'each tag in one part alone, whether of type tag or bucket',
  ),
);
