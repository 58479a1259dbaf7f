import * as z from 'zod/mini';
import { SCHEDULED } from '../../functions/environment.ts';
import type { DocumentMark } from '../../functions/policy/document-mark.ts';
import { governedFields } from '../../functions/policy/governed-fields.ts';
import { CommandError } from './failure.ts';

const text = z.string();
const maybe = z.optional(text);

const hashes = z.record(text, text);
const markSchema = z.object({
  hash: text,
  parts: hashes,
  /** Absent: the function is an older one, or not `rotate`. */
  deployment: z.optional(hashes),
});
const policySchema = z.looseObject({ policy: markSchema });

/** The policy that a function was deployed with. Undefined: an older one, which does not say. */
export const policyOf = (answer: unknown): DocumentMark | undefined =>
  policySchema.safeParse(answer).data?.policy;

const DATABASE_KINDS = ['change', 'create-database', 'create-table'] as const;

/** An action about a database is not understood by halves: an older function's has other keys. */
const otherKind = text.check(
  z.refine((kind) => !DATABASE_KINDS.some((each) => each === kind), 'an action about a token'),
);

const tokenActionSchema = z.looseObject({
  kind: otherKind,
  reason: text,
  token: maybe,
  secret: maybe,
  tokenId: maybe,
  /** Of a takeover, which is about several. */
  tokenIds: z.optional(z.array(text)),
  /** Of what is done with replicas. */
  regions: z.optional(z.array(text)),
});

const governedField = z.enum(governedFields);
const spelling = z.union([text, z.number()]);
const aboutDatabase = { reason: text, database: text, rule: z.number() };

/** The answers about databases are read whole, because their words are made here. */
const databaseActionSchema = z.discriminatedUnion('kind', [
  z.looseObject({
    ...aboutDatabase,
    kind: z.literal('change'),
    field: governedField,
    from: spelling,
    to: spelling,
  }),
  z.looseObject({
    ...aboutDatabase,
    kind: z.literal('create-database'),
    fields: z.partialRecord(governedField, spelling),
    partitionTemplate: maybe,
  }),
  z.looseObject({
    ...aboutDatabase,
    kind: z.literal('create-table'),
    table: text,
    partitionTemplate: maybe,
  }),
]);

const actionSchema = z.union([databaseActionSchema, tokenActionSchema]);

const planSchema = z.looseObject({
  job: z.enum(SCHEDULED),
  actions: z.array(actionSchema),
  findings: z.array(
    z.looseObject({
      kind: text,
      message: text,
      token: maybe,
      secret: maybe,
      tokenId: maybe,
      database: maybe,
      /** The run that carries out the plan fails for it. Absent: it does not, or the function is an older one. */
      fails: z.optional(z.literal(true)),
    }),
  ),
  limits: z.array(z.looseObject({ message: text })),
  refusals: z.array(z.looseObject({ hash: text, message: text, actions: z.array(z.number()) })),
});

const instant = z.number();

/** One entry of the policy; instants are milliseconds since 1970. */
const entrySchema = z.looseObject({
  token: text,
  secret: text,
  condition: text,
  tokenId: maybe,
  expiresAt: z.optional(instant),
  dueAt: z.optional(instant),
  late: z.boolean(),
  pending: z.optional(
    z.looseObject({
      tokenId: text,
      promotedFrom: instant,
      refusedSince: z.optional(instant),
    }),
  ),
  heldSince: z.optional(instant),
  /** Whether the data plane accepts what consumers have. Absent: it was not asked, or the function is an older one. */
  acceptance: z.optional(
    z.looseObject({ answer: text, why: maybe, mixed: z.optional(z.boolean()) }),
  ),
});

const scheduleSchema = z.object({
  name: text,
  state: z.enum(['on', 'off', 'missing', 'unknown']),
  since: z.exactOptional(text),
  by: z.exactOptional(text),
  reason: z.exactOptional(text),
  lastChanged: z.exactOptional(text),
});

const leftOutSchema = z.array(
  z.looseObject({
    list: text,
    shown: z.number(),
    of: z.number(),
    kinds: z.record(text, z.number()),
  }),
);
const longAnswerSchema = z.looseObject({ leftOut: leftOutSchema });

const shownOf = ({ list, shown, of, kinds }: z.output<typeof leftOutSchema>[number]): string => {
  const counts = Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`);
  return `${shown} of ${of} in ${list}${counts.length > 0 ? ` (in all ${counts.join(', ')})` : ''}`;
};

/** What of its lists an answer had no room for, as a sentence. Undefined: it has all. */
export function leftOutOf(answer: unknown, place: string): string | undefined {
  const { leftOut } = longAnswerSchema.safeParse(answer).data ?? {};
  if (!leftOut) return undefined;
  return `the answer of ${place} had no room for all that it found, and has first what failed or is not well: ${leftOut.map(shownOf).join('; ')}. What was done stands in its log; --local shows what it would do, and how all tokens are`;
}

/**
 * The same report, if its plan is whole: of one that is not, nobody can say that nothing else is wrong.
 * @throws Error if the plan had no room in the answer
 */
export function withWholePlan<Report extends PlanReport>(report: Report, place: string): Report {
  const isCut = report.leftOut?.some(({ list }) => list.startsWith('plan.'));
  if (isCut) throw new Error(leftOutOf(report, place));
  return report;
}

const planReportSchema = z.looseObject({
  plan: planSchema,
  /** Absent: nothing was left out. */
  leftOut: z.optional(leftOutSchema),
  /** Absent: the function is an older one. */
  schedule: z.optional(scheduleSchema),
  /** Of the policy that the function was deployed with. Absent: the function is an older one, or this machine. */
  policy: z.optional(markSchema),
  /** Absent: the function is an older one. Without `expiresAt`: its secret does not say it. */
  managementToken: z.optional(z.looseObject({ by: maybe, expiresAt: maybe })),
  /** Absent: the job is not `rotate`, or its function is an older one. */
  entries: z.optional(z.array(entrySchema)),
  outcomes: z.optional(z.array(z.looseObject({ action: actionSchema, result: text }))),
});

const knownTokenSchema = z.looseObject({
  tokenId: text,
  token: maybe,
  secret: maybe,
  owner: maybe,
  owned: z.boolean(),
  description: text,
  permissions: z.array(z.object({ action: text, resource: text })),
  createdAt: text,
  expiresAt: maybe,
  state: text,
});

const revocationSchema = z.looseObject({
  way: text,
  /** Absent: nothing was left out. */
  leftOut: z.optional(leftOutSchema),
  dryRun: z.boolean(),
  /** Absent: the function is an older one. */
  schedules: z.optional(z.array(scheduleSchema)),
  done: z.boolean(),
  confirmed: z.boolean(),
  unconfirmed: z.array(text),
  plan: z.looseObject({
    tokens: z.array(knownTokenSchema),
    databases: z.array(text),
    secrets: z.array(text),
    actions: z.array(
      z.looseObject({ kind: text, secret: maybe, token: maybe, tokenId: maybe, label: maybe }),
    ),
    warnings: z.array(text),
    /** Absent: the function is an older one. */
    withoutToken: z.optional(z.array(text)),
    notReached: z.array(z.looseObject({ secret: text, reason: text })),
    refusal: maybe,
    hash: text,
    /** Present: nobody knows whose string has the fingerprint. */
    candidates: z.optional(z.array(knownTokenSchema)),
  }),
  tokens: z.array(
    z.looseObject({
      tokenId: text,
      token: maybe,
      secret: maybe,
      result: text,
      replacedBy: maybe,
      deadAfterSeconds: z.optional(z.number()),
      unconfirmed: maybe,
    }),
  ),
});

const clusterAnswerSchema = z.looseObject({
  tokens: z.array(knownTokenSchema),
  candidates: z.optional(z.array(knownTokenSchema)),
});

export type PlanReport = z.output<typeof planReportSchema>;
export type Entry = z.output<typeof entrySchema>;
export type Action = z.output<typeof actionSchema>;
export type TokenAction = z.output<typeof tokenActionSchema>;
export type DatabaseAction = z.output<typeof databaseActionSchema>;
export type KnownToken = z.output<typeof knownTokenSchema>;
export type Revocation = z.output<typeof revocationSchema>;

const ofAnotherVersion = (where: string) =>
  new CommandError(
    `found an answer of another version (${where}), expected the answer of this version's function; deploy the stack from this checkout, or use --local`,
  );

function read<T>(schema: z.ZodMiniType<T>, answer: unknown): T {
  const { data, error } = schema.safeParse(answer);
  if (data !== undefined) return data;
  throw ofAnotherVersion(error?.issues[0]?.path.join('.') || 'the whole answer');
}

export const isAboutDatabase = (action: Action): action is DatabaseAction =>
  DATABASE_KINDS.some((kind) => kind === action.kind);

/** Whether an action of a plan, by its index, waits for an approval. */
export const isRefused = ({ refusals }: PlanReport['plan'], index: number): boolean =>
  refusals.some(({ actions }) => actions.includes(index));

export const readPlanReport = (answer: unknown) => read(planReportSchema, answer);

/** An answer of `rotate` with the state of every entry. */
export function readRotation(answer: unknown): PlanReport & { readonly entries: readonly Entry[] } {
  const { entries, ...report } = readPlanReport(answer);
  if (!entries) throw ofAnotherVersion('entries');
  return { ...report, entries };
}

export const readRevocation = (answer: unknown) => read(revocationSchema, answer);
export const readClusterAnswer = (answer: unknown) => read(clusterAnswerSchema, answer);
