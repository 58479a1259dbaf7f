import * as z from 'zod/mini';
import { placesOfCredentials } from '../credentials.ts';
import { OWNER_NAME } from '../policy/names.ts';

/** The output is milliseconds since 1970. */
const instant = z.pipe(z.iso.datetime('an instant in UTC'), z.transform(Date.parse));

/** What the schedule of a function says of its firing, as lib/keyturn-schedule.ts writes it. */
const scheduledSchema = z.strictObject({
  /** When it was to fire. */
  at: instant,
  /** It fires again so many seconds after `at`, or later. */
  nextInSeconds: z.int().check(z.positive()),
  /** It fires for the third time after `at` within so many seconds. */
  thirdInSeconds: z.int().check(z.positive()),
});

const common = {
  /** Absent: a person invokes the function. */
  scheduled: z.optional(scheduledSchema),
  /** Answer with the plan and apply nothing. */
  dryRun: z._default(z.boolean(), false),
  /** The hash of a refusal: exactly the actions that it refused are applied all the same. */
  approve: z.optional(z.string().check(z.regex(/^[0-9a-f]{16}$/, 'a hash of 16 hex digits'))),
};

/** Who says something, for the log and the event. */
const person = z
  .string()
  .check(z.regex(/^[A-Za-z0-9 @._+:/\\-]{1,64}$/, 'a name of 1 to 64 characters'));

const takeoverSchema = z.strictObject({
  /** Who says that no other deployment uses these secrets any more. */
  by: person,
  /** The owner in the markers and tags that become ours. Absent: ours, of secrets that have another ARN now. */
  from: z.optional(z.string().check(z.regex(OWNER_NAME, 'an owner'))),
});

const rotateSchema = z
  .strictObject({
    ...common,
    /** Names of tokens in the policy; all other tokens are ignored. */
    tokens: z.optional(z.array(z.string()).check(z.minLength(1))),
    /** Rotate these tokens even if they are not due. */
    force: z._default(z.boolean(), false),
    /** Who says that the strings of the named tokens are theirs: adopts what no proof can show, and does nothing else. */
    confirmAdoption: z.optional(person),
    /** Makes what the secrets of the named tokens hold ours again, and does nothing else. */
    takeOver: z.optional(takeoverSchema),
    /** Ask the data plane, too, whether it accepts the string that the consumers of each entry have. */
    probe: z._default(z.boolean(), false),
    /** Answers what both systems still say of what was done since then, and does nothing else. */
    history: z.optional(z.strictObject({ since: instant })),
  })
  .check(
    z.refine(({ force, tokens }) => !force || tokens, 'force requires the tokens to be named'),
    z.refine(
      ({ confirmAdoption, tokens, force }) => confirmAdoption === undefined || (tokens && !force),
      'confirmAdoption requires the tokens to be named, without force',
    ),
    z.refine(
      ({ takeOver, tokens, force, confirmAdoption }) =>
        takeOver === undefined || (tokens && !force && confirmAdoption === undefined),
      'takeOver requires the tokens to be named, without force and confirmAdoption',
    ),
    z.refine(
      ({ probe, dryRun, scheduled, takeOver }) => !probe || (dryRun && !scheduled && !takeOver),
      'probe requires dryRun, without scheduled and takeOver',
    ),
    z.refine(
      ({ history, dryRun, ...others }) =>
        history === undefined ||
        (dryRun &&
          !others.force &&
          !others.probe &&
          [others.scheduled, others.takeOver, others.confirmAdoption, others.approve].every(
            (each) => each === undefined,
          )),
      'history requires dryRun, and beside it nothing but tokens',
    ),
  );

const reapSchema = z.strictObject(common);

const enforceSchema = z.strictObject({
  ...common,
  /** Create all declared tables in this run; otherwise each database has its turn once a day. */
  tables: z._default(z.boolean(), false),
});

export type Scheduled = z.output<typeof scheduledSchema>;
export type RotateRequest = z.output<typeof rotateSchema>;
export type ReapRequest = z.output<typeof reapSchema>;
export type EnforceRequest = z.output<typeof enforceSchema>;

/** The event of an invocation is not what the function takes; nothing was done. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

const pathOf = (path: readonly PropertyKey[]) => path.join('.') || 'the event';

/** An event is logged, answered and published in parts, so no part of it may be a credential. */
function refuseCredentials(event: unknown): void {
  const places = placesOfCredentials(event).map(pathOf);
  if (places.length === 0) return;
  throw new RequestError(
    `${[...new Set(places)].join(', ')}: found a token string, expected none anywhere in an event; nothing was done. ` +
      'To revoke its token, use keyturn revoke --leaked, or give its fingerprint: {"fingerprint": "<first 16 hex digits of its SHA-256>"}',
  );
}

/**
 * Checks the event of an invocation against its schema.
 * @throws RequestError naming every key that is wrong, and quoting no credential
 */
export function parseEvent<T>(schema: z.ZodMiniType<T>, event: unknown): T {
  refuseCredentials(event);
  const result = schema.safeParse(event ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const where = pathOf(issue.path);
    return issue.code === 'unrecognized_keys'
      ? `${where}: unknown key ${issue.keys.join(', ')}`
      : `${where}: ${issue.code === 'invalid_type' ? `expected ${issue.expected}` : issue.message}`;
  });
  throw new RequestError(problems.join('; '));
}

/** What `rotate` does in place of a run, and why nothing else may be asked for beside it. */
const ALONE = {
  examine: 'an examination changes nothing, and no schedule asks for one',
  measure: 'a measurement makes tokens and a database of its own, and no schedule asks for one',
} as const;

/**
 * Whether `rotate` is to do this, and nothing else: `{"examine": true}`, `{"measure": true}`.
 * @throws RequestError if anything stands beside that: a schedule's event, or an order that nobody would carry out
 */
export function asksTo(what: keyof typeof ALONE, event: unknown): boolean {
  if (!Object.hasOwn(Object(event), what)) return false;
  const { [what]: asked, ...others } = Object(event);
  refuseCredentials(event);
  const beside = Object.keys(others);
  if (asked === true && beside.length === 0) return true;
  const found = beside.length > 0 ? `${beside.join(', ')} beside it` : 'something other than true';
  throw new RequestError(
    `${what}: found ${found}, expected {"${what}": true} alone; ${ALONE[what]}`,
  );
}

/** @throws RequestError */
export const parseRotateRequest = (event: unknown) => parseEvent(rotateSchema, event);

/** @throws RequestError */
export const parseReapRequest = (event: unknown) => parseEvent(reapSchema, event);

/** @throws RequestError */
export const parseEnforceRequest = (event: unknown) => parseEvent(enforceSchema, event);
