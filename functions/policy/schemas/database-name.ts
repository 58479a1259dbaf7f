import * as z from 'zod/mini';

// Letters of any script, and bytes instead of characters: so InfluxDB's source (influxdb3_core, data_types)
// reads its rules. https://docs.influxdata.com/influxdb3/clustered/admin/databases/create/
const NAME = '[\\p{L}\\p{N}/-][\\p{L}\\p{N}_/-]*';
const RULES = 'letters, digits, "_", "-" and "/", not beginning with "_"';

const upTo64Bytes = z.refine<string>(
  (name) => new TextEncoder().encode(name).length <= 64,
  'at most 64 bytes',
);

export const databaseName = z
  .string()
  .check(
    z.regex(new RegExp(`^${NAME}$`, 'u'), `${RULES}; a glob is written under match`),
    upTo64Bytes,
  );

/** What a token is granted. InfluxDB takes any text here, and a glob other than `*` would open nothing. */
export const grantedDatabase = z
  .string()
  .check(
    z.regex(
      new RegExp(`^(?:\\*|${NAME})$`, 'u'),
      `a database name (${RULES}), or "*" for all; a grant knows no other globs, so list the databases`,
    ),
    upTo64Bytes,
  );

/** A glob for database names: `*` matches any characters, `?` matches one. */
export const databaseGlob = z
  .string()
  .check(
    z.regex(
      /^[\p{L}\p{N}_/*?-]{1,64}$/u,
      'a database name with * (any text) and ? (one letter), at most 64 characters',
    ),
  );
