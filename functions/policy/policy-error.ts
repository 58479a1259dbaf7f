import type * as z from 'zod/mini';
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

  constructor(issues: readonly PolicyIssue[]) {
    super(issues.map(({ path, message }) => `${formatPath(path)}: ${message}`).join('\n'));
    this.issues = issues;
  }
}

/** `databases[2].retention`, `tokens.telegraf.rotateEvery`. */
export function formatPath(path: readonly PropertyKey[]): string {
  const text = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  return text.replace(/^\./, '') || '(the whole file)';
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
}

/** The keys that a schema knows at a path, to suggest one for a misspelt key. */
function knownKeys(schema: AnySchema, path: readonly PropertyKey[]): string[] {
  const { def } = schema;
  const inner = def.innerType ?? def.in;
  if (inner) return knownKeys(inner, path);
  if (def.options) return def.options.flatMap((option) => knownKeys(option, path));
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(def.shape ?? {});
  const next = def.shape?.[String(first)] ?? def.valueType ?? def.element;
  return next ? knownKeys(next, rest) : [];
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    document,
  );
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** zod's message if no locale is loaded and the schema has no message of its own. */
const WITHOUT_WORDS = 'Invalid input';

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.message !== WITHOUT_WORDS) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'object' || issue.expected === 'record'
        ? 'a mapping'
        : `a value of type ${issue.expected}`;
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'too_small':
      return `at least ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

/** A union has one issue for all its members; the issues of the member that fits best help most. */
function closest(issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const weight = (issues: readonly z.core.$ZodIssue[]) =>
    issues.reduce(
      (sum, each) => sum + (each.code === 'unrecognized_keys' ? 10 * each.keys.length : 1),
      0,
    );
  const [best = []] = [...issue.errors].sort((a, b) => weight(a) - weight(b));
  const isMapping = best.some(({ path }) => path.length > 0);
  if (!isMapping) {
    const all = issue.errors.flat().map(expectation);
    return [{ ...issue, code: 'custom', message: [...new Set(all)].join(', or ') }];
  }
  return best.flatMap((each) => closest({ ...each, path: [...issue.path, ...each.path] }));
}

/** Turns the schema's issues into sentences that say what was found and what was expected. */
export function explainIssues(
  schema: z.ZodMiniType,
  issues: readonly z.core.$ZodIssue[],
  document: unknown,
): PolicyIssue[] {
  return issues.flatMap(closest).flatMap((issue): PolicyIssue[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        message: `unknown key${suggestionFor(key, knownKeys(schema, issue.path))}`,
      }));
    }
    if (issue.code === 'invalid_key') {
      const expected = issue.issues.map(expectation).join(', ');
      return [{ path: issue.path, message: `found this name, expected ${expected}` }];
    }
    const found = shown(valueAt(document, issue.path));
    return [{ path: issue.path, message: `found ${found}, expected ${expectation(issue)}` }];
  });
}
