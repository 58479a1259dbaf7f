import * as z from 'zod/mini';

const text = z.string();
const texts = z.readonly(z.array(text));
/** Name of the token in the policy. */
const token = text;
/** Name of the secret. */
const secret = text;
const tokenId = text;
const reason = text;
/** A field's value as the policy writes it. */
const spelling = z.union([text, z.number()]);

const finding = z.object({
  kind: text,
  message: text,
  database: z.optional(text),
  secret: z.optional(secret),
  token: z.optional(token),
  tokenId: z.optional(tokenId),
});

/**
 * The details of every event, by detail type, as a job says them: the publisher adds the owner of the deployment. No detail contains a
 * token string.
 */
export const eventSchemas = {
  'Token Rotated': z.object({
    token,
    secret,
    secretArn: text,
    tokenId,
    previousTokenId: z.optional(tokenId),
    reason,
  }),
  'Token Adopted': z.object({
    token,
    secret,
    tokenId,
    /** Present: no proof was possible, and this person said that the string is the token's. */
    confirmedBy: z.optional(text),
    confirmedAt: z.optional(text),
  }),
  'Secret Taken Over': z.object({
    token,
    secret,
    secretArn: text,
    /** Whose markers are ours since. */
    tokenIds: texts,
    /** The owner whose tokens were meant beside ours. */
    from: z.optional(text),
    confirmedBy: text,
  }),
  'Token Permissions Changed': z.object({
    tokenId,
    token: z.optional(token),
    secret: z.optional(secret),
    way: z.optional(text),
    result: z.optional(z.literal('given-back')),
    reason: z.optional(reason),
  }),
  'Token Retired': z.object({ secret, tokenId, reason }),
  'Token Deleted': z.object({ tokenId, secret: z.optional(secret), reason }),
  'Token Revoked': z.object({
    tokenId,
    token: z.optional(token),
    secret: z.optional(secret),
    way: text,
    result: z.enum(['deleted', 'frozen']),
    replacedBy: z.optional(tokenId),
    deadAfterSeconds: z.optional(z.number()),
    unconfirmed: z.optional(text),
    reason: z.optional(text),
  }),
  'Secret Deleted': z.object({ secret, reason }),
  'Database Policy Enforced': z.object({
    kind: z.enum(['change', 'create-database', 'create-table']),
    database: text,
    rule: z.number(),
    text,
    reason,
    field: z.optional(text),
    from: z.optional(spelling),
    to: z.optional(spelling),
    fields: z.optional(z.record(text, spelling)),
    table: z.optional(text),
    partitionTemplate: z.optional(text),
    note: z.optional(text),
  }),
  'Database Drift Detected': z.union([
    z.object({
      drifted: z.number(),
      refused: z.number(),
      findings: z.readonly(z.array(finding)),
    }),
    z.object({ kind: z.literal('HalfApplied'), database: text, done: texts, open: texts }),
  ]),
  'Plan Refused': z.object({
    job: z.enum(['rotate', 'reap', 'enforce']),
    hash: text,
    refusal: text,
    limit: z.optional(z.object({ counted: z.number(), allowed: z.number() })),
  }),
};

/** An event of Keyturn. Do not trust it blindly: everybody who may put events on the bus can forge one. */
export type KeyturnEvent = {
  [Type in keyof typeof eventSchemas]: {
    readonly type: Type;
    readonly detail: Readonly<z.input<(typeof eventSchemas)[Type]>>;
  };
}[keyof typeof eventSchemas];

/** Whether an event of this type can name a secret: a rule that asks for one hears nothing of any other. */
export function namesSecret(type: KeyturnEvent['type']): boolean {
  const schema = eventSchemas[type];
  const shapes = 'shape' in schema ? [schema.shape] : schema.def.options.map(({ shape }) => shape);
  return shapes.some((shape) => 'secret' in shape);
}

export type Publish = (event: KeyturnEvent) => void;

interface DetailSchema {
  readonly anyOf?: readonly DetailSchema[];
  readonly properties?: object;
  readonly required?: readonly string[];
}

/** Every event names its deployment: several may share a bus. */
function withOwner({ anyOf, properties, required = [], ...schema }: DetailSchema): DetailSchema {
  if (anyOf) return { ...schema, anyOf: anyOf.map(withOwner) };
  const own = { owner: { type: 'string' }, ...properties };
  return { ...schema, properties: own, required: ['owner', ...required] };
}

/** JSON Schema of an event as a rule receives it, without EventBridge's own fields. */
export const eventsJsonSchema = () => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Events of Keyturn',
  oneOf: Object.entries(eventSchemas).map(([type, schema]) => {
    const { $schema, ...detail } = z.toJSONSchema(schema, { io: 'input' });
    return {
      title: type,
      type: 'object',
      properties: {
        source: { const: 'keyturn' },
        'detail-type': { const: type },
        detail: withOwner(detail as DetailSchema),
      },
      required: ['source', 'detail-type', 'detail'],
    };
  }),
});
