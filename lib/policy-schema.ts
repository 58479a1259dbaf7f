import * as z from 'zod/mini';
import { documentSchema, EXTENSION } from '../functions/policy/schemas/document.ts';
import { deploymentSchema } from './deployment.ts';
import { POLICY_KEYS, type PolicyKey } from './policy-keys.ts';

/** The policy file as plain data: what the functions are bundled with, and how they are deployed. */
export const policyFileSchema = z.extend(documentSchema, {
  deployment: z._default(deploymentSchema, z.parse(deploymentSchema, {})),
});

/** The part of JSON Schema that zod writes for a policy. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

/** The schemas of one value, each of another shape that it may have. */
export const shapesOf = ({ anyOf, oneOf, ...schema }: JsonSchema): readonly JsonSchema[] =>
  [schema, ...(anyOf ?? []), ...(oneOf ?? [])].flatMap((each) =>
    each.anyOf || each.oneOf ? shapesOf(each) : [each],
  );

const mapValues = <Value, Result>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value, key: string) => Result,
) => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));

/** What it is for, and what holds without it, where that is no value. */
const descriptionOf = ({ means, without }: PolicyKey) =>
  without === undefined ? means : `${means} Without it: ${without}.`;

/** As the schema's type has it. */
const defaultOf = ({ default: said = '' }: PolicyKey) => (/^\d+$/.test(said) ? Number(said) : said);

/** Puts beside each key what it is for, and its default. @param path of the schema's own value, as in `POLICY_KEYS` */
function described(schema: JsonSchema, path: string): JsonSchema {
  const { properties, additionalProperties, items, anyOf, oneOf } = schema;
  const inside = (key: string) => (path === '' ? key : `${path}.${key}`);
  const both = (shapes: readonly JsonSchema[]) => shapes.map((each) => described(each, path));
  return {
    ...schema,
    ...(properties && {
      properties: mapValues(properties, (each, key) => {
        const known = POLICY_KEYS[inside(key)];
        return {
          ...(known && { description: descriptionOf(known) }),
          ...(known?.default !== undefined && { default: defaultOf(known) }),
          ...described(each, inside(key)),
        };
      }),
    }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: described(additionalProperties, inside('<name>')),
    }),
    ...(items && { items: described(items, `${path}[]`) }),
    ...(anyOf && { anyOf: both(anyOf) }),
    ...(oneOf && { oneOf: both(oneOf) }),
  };
}

/** JSON Schema of the policy file, for editors. */
export const policyJsonSchema = (): JsonSchema => ({
  ...described(z.toJSONSchema(policyFileSchema, { io: 'input' }) as JsonSchema, ''),
  patternProperties: { [`^${EXTENSION}`]: {} },
});
