import { z } from 'zod';
import { AwsError, invalidParameter } from './aws-error.ts';
import type { Store } from './store.ts';

/** Applies a request to the store and returns the body of the response. */
export type Operation = (store: Store, input: unknown) => object;

export const operation =
  <S extends z.ZodType>(schema: S, run: (store: Store, input: z.infer<S>) => object): Operation =>
  (store, input) =>
    run(store, parse(schema, input));

/** The version id in the request. The SDKs fill it in; a plain HTTP request may not have it. */
export function requireToken(
  token: string | undefined,
  missing: 'InvalidRequestException' | 'InvalidParameterException' = 'InvalidRequestException',
): string {
  if (token === undefined)
    throw new AwsError(
      missing,
      'You must provide a ClientRequestToken value. We recommend a UUID-type value.',
    );
  // 32 to 64 characters (PutSecretValue, API Reference); the text is of other emulators.
  if (token.length < 32 || token.length > 64)
    throw invalidParameter('ClientRequestToken must be 32-64 characters long.');
  return token;
}

function parse<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const failures = parsed.error.issues.map(
    (issue) =>
      `Value ${quote(issue.path, input)}at '${member(issue.path)}' failed to satisfy constraint: ${constraint(issue)}`,
  );
  const noun = failures.length === 1 ? 'error' : 'errors';
  throw new AwsError(
    'ValidationException',
    `${failures.length} validation ${noun} detected: ${failures.join('; ')}`,
  );
}

/** A refused value, as messages quote it; those that the service's model calls sensitive are not. */
function quote(path: readonly PropertyKey[], input: unknown): string {
  if (/^Secret(String|Binary)$/.test(String(path[0]))) return '';
  const value = path.reduce<unknown>((part, key) => Object(part)[key], input);
  if (value === undefined) return 'null ';
  return `'${typeof value === 'object' ? JSON.stringify(value) : value}' `;
}

/** `Tags[0].Key` is `tags.1.member.key` in AWS's messages. */
const member = (path: readonly PropertyKey[]) =>
  path
    .map((key) =>
      typeof key === 'number' ? `${key + 1}.member` : String(key).replace(/^./, lowerCase),
    )
    .join('.');

const lowerCase = (letter: string) => letter.toLowerCase();

function constraint(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_big':
      return `Member must have ${measure(issue.origin)} less than or equal to ${issue.maximum}`;
    case 'too_small':
      return `Member must have ${measure(issue.origin)} greater than or equal to ${issue.minimum}`;
    case 'invalid_type':
      return issue.input === undefined ? 'Member must not be null' : issue.message;
    case 'invalid_value':
      return `Member must satisfy enum value set: [${issue.values.join(', ')}]`;
    default:
      return issue.message;
  }
}

const measure = (origin: string) => (origin === 'number' || origin === 'int' ? 'value' : 'length');

const bytes = (text: string) => Buffer.byteLength(text) <= 65_536;

/** Members of several operations, with the bounds of the AWS Secrets Manager API Reference. */
export const members = {
  secretId: z.string().min(1).max(2048),
  token: z.string().optional(),
  description: z.string().max(2048).optional(),
  kmsKeyId: z.string().max(2048).optional(),
  secretString: z
    .string()
    .min(1)
    .refine(bytes, 'Member must have length less than or equal to 65536')
    .optional(),
  secretBinary: z
    .string()
    .min(1)
    .refine(
      (base64) => Buffer.from(base64, 'base64').length <= 65_536,
      'Member must have length less than or equal to 65536',
    )
    .optional(),
  stage: z.string().min(1).max(256),
  versionId: z.string().min(32).max(64),
  tag: z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256).default('') }),
  filters: z
    .array(
      z.object({
        Key: z.enum([
          'all',
          'description',
          'name',
          'owning-service',
          'primary-region',
          'tag-key',
          'tag-value',
        ]),
        Values: z.array(z.string().max(512)).min(1).max(10),
      }),
    )
    .max(10)
    .optional(),
  nextToken: z.string().min(1).max(4096).optional(),
  replicaRegions: z
    .array(
      z.object({
        Region: z
          .string()
          .min(1)
          .max(128)
          .regex(/^([a-z]+-)+\d+$/),
        KmsKeyId: z.string().max(2048).optional(),
      }),
    )
    .min(1),
};
