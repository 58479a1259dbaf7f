import * as z from 'zod/mini';
import { durationSchema } from '../functions/policy/schemas/duration.ts';
import { POLICY_KEYS } from '../lib/policy-keys.ts';
import { type JsonSchema, policyJsonSchema, shapesOf } from '../lib/policy-schema.ts';

const HEAD = `# The policy file

Every key, made from the schema by \`npm run api\`. That schema is [keyturn.schema.json](../keyturn.schema.json), and \`npx --no keyturn schema\` prints it; an editor completes and explains the keys of a file that begins with
\`# yaml-language-server: $schema=keyturn.schema.json\`. [\`examples/policies\`](../examples/policies) has whole files.

Durations are whole numbers with \`s\`, \`m\`, \`h\`, \`d\`, \`w\`, \`mo\` (30 days) or \`y\` (365 days), such as \`1h30m\`, and at most a hundred years. YAML's anchors and merge keys
(\`<<\`) work; keys at the top that begin with \`x-\` are there to hold them, and mean nothing. What cannot be meant is refused when the stack is synthesized; what is only unwise is warned of.
[Databases](databases.md) and [deployment](deployment.md) have pages of their own, with examples.
`;

interface Row {
  readonly path: string;
  readonly key: string;
  readonly shapes: readonly JsonSchema[];
  readonly isRequired: boolean;
  readonly schema: JsonSchema;
}

/** The mappings of a policy with their keys, each below the one in which it stands. */
interface Section {
  readonly path: string;
  readonly rows: Row[];
}

const DURATION = (z.toJSONSchema(durationSchema, { io: 'input' }) as JsonSchema).pattern;

/** Numbers above are no bound that anybody set. */
const isBound = (value: unknown): value is number =>
  typeof value === 'number' && value < Number.MAX_SAFE_INTEGER;

const code = (text: unknown) => `\`${text}\``;

function numberText({ minimum, maximum }: JsonSchema): string {
  if (isBound(minimum) && isBound(maximum)) return `${minimum} to ${maximum}`;
  return isBound(minimum) ? `${minimum} or more` : 'a number';
}

function shapeText(shape: JsonSchema): readonly string[] {
  const { const: constant, enum: choices, type, pattern, items, properties } = shape;
  if (constant !== undefined) return [code(constant)];
  if (Array.isArray(choices)) return choices.map(code);
  if (type === 'boolean') return [code(true), code(false)];
  if (type === 'integer') return [numberText(shape)];
  if (type === 'string') return [pattern === DURATION ? 'duration' : 'text'];
  if (type === 'array' && items) return [`list: ${kindText(shapesOf(items))}`];
  if (properties) return ['mapping'];
  return type === 'object' ? ['mapping of names'] : [];
}

const kindText = (shapes: readonly JsonSchema[]) =>
  [...new Set(shapes.flatMap(shapeText))].join(' or ');

function defaultText({ path, schema, isRequired }: Row): string {
  const { default: said, without } = POLICY_KEYS[path] ?? {};
  if (without !== undefined) return escaped(without);
  const { default: value = said } = schema;
  if (value === undefined || typeof value === 'object') return isRequired ? 'required' : '';
  return code(value);
}

const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

const rowText = (row: Row) =>
  `| ${code(row.key)} | ${kindText(row.shapes)} | ${defaultText(row)} | ${escaped(POLICY_KEYS[row.path]?.means ?? '')} |`;

/** The keys of `shapes`, and behind them the sections of what is in these. */
function sectionsOf(path: string, shapes: readonly JsonSchema[]): readonly Section[] {
  const inside = (key: string) => (path === '' ? key : `${path}.${key}`);
  const rows = new Map<string, Row>();
  for (const { properties = {}, required = [] } of shapes) {
    for (const [key, schema] of Object.entries(properties)) {
      const known = rows.get(key);
      const isRequired = shapes.length === 1 && (required as readonly string[]).includes(key);
      rows.set(key, {
        path: inside(key),
        key,
        schema: known?.schema ?? schema,
        shapes: [...(known?.shapes ?? []), ...shapesOf(schema)],
        isRequired,
      });
    }
  }
  const deeper = [...rows.values()].flatMap((row) => sectionsIn(row.path, row.shapes));
  return rows.size === 0 ? deeper : [{ path, rows: [...rows.values()] }, ...deeper];
}

function sectionsIn(path: string, shapes: readonly JsonSchema[]): readonly Section[] {
  const own = shapes.filter(({ properties }) => properties);
  const items = shapes.flatMap(({ items: each }) => (each ? shapesOf(each) : []));
  const named = shapes.flatMap(({ additionalProperties: each }) =>
    typeof each === 'object' ? shapesOf(each) : [],
  );
  return [
    ...sectionsOf(path, own),
    ...(items.length > 0 ? sectionsIn(`${path}[]`, items) : []),
    ...(named.length > 0 ? sectionsIn(`${path}.<name>`, named) : []),
  ];
}

const COLUMNS = '| key | value | default | meaning |\n|---|---|---|---|';

const sectionText = ({ path, rows }: Section) =>
  [
    `## ${path === '' ? 'At the top' : code(path)}`,
    ...(POLICY_KEYS[path] ? [escaped(POLICY_KEYS[path].means)] : []),
    [COLUMNS, ...rows.map(rowText)].join('\n'),
  ].join('\n\n');

/** docs/policy.md: what every key of the policy file means. */
export function policyReference(): string {
  const sections = sectionsOf('', shapesOf(policyJsonSchema()));
  return `${[HEAD.trimEnd(), ...sections.map(sectionText)].join('\n\n')}\n`;
}
