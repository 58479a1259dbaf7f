import { Token } from 'aws-cdk-lib';
import { Construct, type IConstruct } from 'constructs';
import type * as z from 'zod/mini';
import {
  explainIssues,
  formatPath,
  type PolicyIssue,
  UNEXPLAINED,
  valueAt,
} from '../functions/policy/policy-error.ts';
import { suggestionFor } from '../functions/policy/suggestion.ts';
import { isMapping } from './mapping.ts';
import { tokensInWords } from './references.ts';
import { isStandIn } from './stand-ins.ts';

type Schema = z.ZodMiniObject<Record<string, z.ZodMiniType>>;

/** As a sentence may show it: a construct by its path, and what holds one by its kind. */
export function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (Construct.isConstruct(value)) return `construct ${value.node.path}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return tokensInWords(value);
  // JSON has no such number.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (isMapping(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shown(each)]));
  }
  return typeof value === 'object' ? (value?.constructor.name ?? value) : value;
}

/** What CDK knows only at the deployment, and not even how long it is. */
const isUnknownList = (value: unknown) => Array.isArray(value) && Token.isUnresolved(value);

const UNKNOWN_LIST =
  'found a list that is known only at the deployment, expected one whose length is known when the app runs; write its items, which may be tokens';

/**
 * What is wrong with what an app gives, but for values that are not looked up yet.
 * @param scope of the app, if CDK may look up what is given
 */
export function mistakesIn(schema: Schema, given: unknown, scope?: IConstruct): PolicyIssue[] {
  const unknown = Object.keys(schema.shape).filter((name) => isUnknownList(Object(given)[name]));
  const { error } = schema.safeParse(given, UNEXPLAINED);
  const issues = (error?.issues ?? []).filter(({ code, path }) => {
    if (unknown.includes(String(path[0]))) return false;
    // What holds a name that nobody knows may hold other values.
    if (scope === undefined || code === 'unrecognized_keys') return true;
    return !isStandIn(scope, valueAt(given, path));
  });
  const document = typeof given === 'object' && given !== null ? { ...given } : given;
  return [
    ...unknown.map((name) => ({ path: [name], message: UNKNOWN_LIST })),
    ...explainIssues(schema, issues, shown(document)),
  ];
}

/**
 * An app in JavaScript has no compiler that would refuse a name that nobody reads.
 * @param what whose arguments they are: `eventPattern:`, `SoleWriter's property`
 * @param scope of the app, if CDK may look up what is given
 * @throws Error with a line for each name that is not known, and for each value that breaks a rule
 */
export function refuseMistakes(
  what: string,
  schema: Schema,
  given: unknown,
  scope?: IConstruct,
): void {
  const known = Object.keys(schema.shape);
  const misspelt = Object.keys(Object(given))
    .filter((name) => !known.includes(name))
    .map((name) => `${name}: found this name, expected a known one${suggestionFor(name, known)}`);
  const wrong = mistakesIn(schema, given, scope).map(({ path, message }) =>
    [...(path.length > 0 ? [formatPath(path)] : []), message].join(': '),
  );
  const mistakes = typeof given === 'object' ? [...misspelt, ...wrong] : wrong;
  if (mistakes.length === 0) return;
  throw new Error(mistakes.map((mistake) => `${what} ${mistake}`).join('\n'));
}
