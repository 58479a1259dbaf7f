import type * as z from 'zod/mini';
import { visible } from '../visible.ts';
import { suggestionFor } from './suggestion.ts';

/** What is wrong at one place of a policy document. */
export interface PolicyIssue {
  readonly path: readonly PropertyKey[];
  /** What was found and what was expected, as a sentence without the path. */
  readonly message: string;
}

/** A policy that cannot be used; nothing was changed. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly issues: readonly PolicyIssue[];

  constructor(issues: readonly PolicyIssue[], options?: ErrorOptions) {
    super(issues.map(({ path, message }) => `${formatPath(path)}: ${message}`).join('\n'), options);
    this.issues = issues;
  }
}

/** `databases[2].retention`, `tokens.telegraf.rotateEvery`. */
export function formatPath(path: readonly PropertyKey[]): string {
  const text = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  return visible(text.replace(/^\./, '')) || '(the whole file)';
}

interface AnyDef {
  readonly type: string;
  readonly shape?: Record<string, AnySchema>;
  readonly innerType?: AnySchema;
  readonly in?: AnySchema;
  readonly valueType?: AnySchema;
  readonly element?: AnySchema;
  readonly options?: readonly AnySchema[];
}
interface AnySchema {
  readonly def: AnyDef;
  readonly safeParse: z.ZodMiniType['safeParse'];
}

/** What a schema expects at a path: each member of a union by itself. */
function schemasAt(schema: AnySchema, path: readonly PropertyKey[]): readonly AnySchema[] {
  const { def } = schema;
  const inner = def.innerType ?? def.in;
  if (inner) return schemasAt(inner, path);
  if (def.options) return def.options.flatMap((option) => schemasAt(option, path));
  const [first, ...rest] = path;
  if (first === undefined) return [schema];
  const next = def.shape?.[String(first)] ?? def.valueType ?? def.element;
  return next ? schemasAt(next, rest) : [];
}

/** The keys that a schema knows at a path: one list for each member of a union. */
const knownKeys = (schema: AnySchema, path: readonly PropertyKey[]): readonly string[][] =>
  schemasAt(schema, path).flatMap(({ def }) => (def.shape ? [Object.keys(def.shape)] : []));

/** Where a key is known: `at the top of the file`, `under tokens.NAME`. */
function placesOf({ def }: AnySchema, key: string, at = ''): readonly string[] {
  const inner = def.innerType ?? def.in;
  if (inner) return placesOf(inner, key, at);
  const { shape = {}, valueType, options = [] } = def;
  const here = Object.hasOwn(shape, key)
    ? [at === '' ? 'at the top of the file' : `under ${at}`]
    : [];
  const below = Object.entries(valueType ? { NAME: valueType } : shape);
  return [
    ...here,
    ...options.flatMap((each) => placesOf(each, key, at)),
    ...below.flatMap(([name, each]) => placesOf(each, key, at === '' ? name : `${at}.${name}`)),
  ];
}

/** The end of a sentence about a key that other places know; nothing if none does. */
function belongs(schema: AnySchema, key: string): string {
  const places = [...new Set(placesOf(schema, key))];
  return places.length === 0 ? '' : `; it belongs ${places.join(', or ')}`;
}

/** What else may be written in place of what was found. */
function instead(schema: AnySchema, path: readonly PropertyKey[], found: unknown): string {
  const key = String(path.at(-1));
  const parents = schemasAt(schema, path.slice(0, -1));
  if (found === null) {
    const mayLack = parents.some(({ def }) =>
      /^(?:optional|default)$/.test(def.shape?.[key]?.def.type ?? ''),
    );
    return mayLack ? '; or leave the key out' : '';
  }
  const { min, max } = Object(found);
  return (min ?? max) !== undefined
    ? '; min and max belong to a rule with match in place of name'
    : '';
}

/** Among the keys at the top of a file: those that `parsePolicy` leaves out. */
const ANCHORS = 'x-… (for YAML anchors)';

/** Undefined where there is no such place. */
export function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    document,
  );
}

/** The user name and password in a URL, or in what was to be one. */
const USER_INFO = /(?<=:\/\/)(?:[^"\\]|\\.){0,1000}(?=@)/g;

/** What was found, as a terminal may show it. Who writes a password into a URL finds it in no log. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  const json = JSON.stringify(value) ?? String(value);
  const text = visible(json.replace(USER_INFO, '…'));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The message of a schema that has none of its own. */
const WITHOUT_WORDS = 'Invalid input';

/** How `explainIssues` is to get its issues: whoever else uses zod in this process may have loaded a language. */
export const UNEXPLAINED = { error: () => WITHOUT_WORDS };

/** The number that somebody meant who wrote something similar. */
const numberIn = (found: unknown) =>
  Math.abs(Number.parseInt(String(found).replace(/[_',]/g, ''), 10)) || 30;

const numberInWords = (example: number | bigint) =>
  `a whole number, without quotes and without a unit, such as ${example}`;

/** What a value of some type looks like; of a list and a number, the one that somebody meant who wrote something similar. */
function typeInWords(expected: string, found: unknown): string {
  switch (expected) {
    case 'object':
    case 'record':
      return 'a mapping';
    case 'array':
      return typeof found === 'string' ? `a list, [${shown(found)}]` : 'a list';
    case 'boolean':
      return 'true or false, without quotes';
    case 'number':
    case 'int':
      return numberInWords(numberIn(found));
    default:
      return 'a text';
  }
}

/** `at least 1 element`, `at most 400 characters`: a number by itself has no unit. */
function limit(side: string, { origin }: { readonly origin: string }, bound: number | bigint) {
  const unit = { string: ' character', array: ' element' }[origin] ?? '';
  return `${side} ${bound}${unit}${unit === '' || bound === 1 ? '' : 's'}`;
}

/** YAML takes digits, `true` and the like for no text, and shows 0123 and 1e3 as other digits: what to write, or what is expected if that would be refused as well. */
function quoted(schema: AnySchema, issue: z.core.$ZodIssue, found: unknown): string | undefined {
  if (issue.code !== 'invalid_type' || issue.expected !== 'string') return undefined;
  if (typeof found !== 'number' && typeof found !== 'boolean') return undefined;
  const text = String(found);
  const parsed = schemasAt(schema, issue.path).map((each) => each.safeParse(text, UNEXPLAINED));
  const said = expectation(issue, found);
  if (parsed.some(({ success }) => success))
    return `${said}; write it in quotes, as the file has it, such as "${text}"`;
  const [refusal] = parsed.flatMap(({ error }) => error?.issues ?? []);
  return issue.message === WITHOUT_WORDS && refusal ? expectation(refusal, text) : said;
}

/** The number that was meant, or the nearest that is not refused as well. */
function numbered(schema: AnySchema, issue: z.core.$ZodIssue, found: unknown): string | undefined {
  const isNumber = issue.code === 'invalid_type' && /^(?:number|int)$/.test(issue.expected);
  if (!isNumber || issue.message !== WITHOUT_WORDS) return undefined;
  const meant = numberIn(found);
  const parsed = schemasAt(schema, issue.path).map((each) => each.safeParse(meant, UNEXPLAINED));
  if (parsed.some(({ success }) => success)) return numberInWords(meant);
  const [bound = meant] = parsed
    .flatMap(({ error }) => error?.issues ?? [])
    .flatMap((each) => {
      if (each.code === 'too_small') return each.minimum;
      return each.code === 'too_big' ? each.maximum : [];
    });
  return numberInWords(bound);
}

const oneOf = (values: readonly unknown[]) =>
  values.map((value) => JSON.stringify(value)).join(' or ');

function expectation(issue: z.core.$ZodIssue, found: unknown): string {
  if (issue.message !== WITHOUT_WORDS) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return typeInWords(issue.expected, found);
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union':
      // Of a union that one of its keys tells apart, zod names what that key may be, and no issue of any member.
      return 'options' in issue && issue.options ? oneOf(issue.options) : issue.message;
    case 'too_small':
      return limit('at least', issue, issue.minimum);
    case 'too_big':
      return limit('at most', issue, issue.maximum);
    default:
      return issue.message;
  }
}

/** How far a value is from one member of a union: farthest where it is not even of its kind, a list or a mapping. */
function distance(issue: z.core.$ZodIssue): number {
  if (issue.code === 'unrecognized_keys') return 10 * issue.keys.length;
  return issue.path.length === 0 && /^invalid_(?:type|value)$/.test(issue.code) ? 1_000 : 1;
}

/** A union has one issue for all its members; the issues of the member that fits best help most. */
function closest(issue: z.core.$ZodIssue, document: unknown): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const weight = (issues: readonly z.core.$ZodIssue[]) =>
    issues.reduce((sum, each) => sum + distance(each), 0);
  const [best = []] = [...issue.errors].sort((a, b) => weight(a) - weight(b));
  const isMapping = best.some(({ code, path }) => path.length > 0 || code === 'unrecognized_keys');
  if (!isMapping) {
    const found = valueAt(document, issue.path);
    const all = issue.errors.flat().map((each) => expectation(each, found));
    return [{ ...issue, code: 'custom', message: [...new Set(all)].join(', or ') }];
  }
  return best.flatMap((each) =>
    closest({ ...each, path: [...issue.path, ...each.path] }, document),
  );
}

/** A key that only another member of a union knows is named with what that one does not know. */
function unknownKey(
  key: string,
  known: readonly string[][],
  beside: readonly string[],
  elsewhere: string,
): string {
  const all = [...new Set(known.flat())];
  const its = known.find((keys) => keys.includes(key)) ?? all;
  const others = beside.filter((other) => all.includes(other) && !its.includes(other));
  if (others.length === 0) return `unknown key${elsewhere || suggestionFor(key, all)}`;
  return `found beside ${others.join(', ')}, expected one without the other; take one out`;
}

/** Zod counts the characters of a text where a list was expected; whoever reads that it is no list needs no more. */
function isOfItsType(issue: z.core.$ZodIssue, _index: number, all: readonly z.core.$ZodIssue[]) {
  const at = formatPath(issue.path);
  return (
    issue.code === 'invalid_type' ||
    !all.some(({ code, path }) => code === 'invalid_type' && formatPath(path) === at)
  );
}

/** Turns the schema's issues into sentences that say what was found and what was expected. */
export function explainIssues(
  schema: z.ZodMiniType,
  issues: readonly z.core.$ZodIssue[],
  document: unknown,
): PolicyIssue[] {
  return issues
    .flatMap((each) => closest(each, document))
    .filter(isOfItsType)
    .flatMap((issue): PolicyIssue[] => {
      if (issue.code === 'unrecognized_keys') {
        const known = knownKeys(schema, issue.path);
        const beside = Object.keys(Object(valueAt(document, issue.path)));
        const here = issue.path.length === 0 ? [...known, [ANCHORS]] : known;
        return issue.keys.map((key) => ({
          path: [...issue.path, key],
          message: unknownKey(key, here, beside, belongs(schema, key)),
        }));
      }
      if (issue.code === 'invalid_key') {
        const expected = issue.issues.map((each) => expectation(each, undefined)).join(', ');
        return [{ path: issue.path, message: `found this name, expected ${expected}` }];
      }
      const found = valueAt(document, issue.path);
      const expected =
        quoted(schema, issue, found) ?? numbered(schema, issue, found) ?? expectation(issue, found);
      const message = `found ${shown(found)}, expected ${expected}${instead(schema, issue.path, found)}`;
      return [{ path: issue.path, message }];
    });
}
