import { redact as redactShapes } from './credentials.ts';

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Takes the credentials out of a text. */
type Redact = (text: string) => string;

type Seen = Map<object, unknown>;

/** Errors stay the same objects, since callers know them by their class. */
function redactError(error: Error, redact: Redact, seen: Seen): Error {
  seen.set(error, error);
  for (const key of Object.getOwnPropertyNames(error)) {
    const value: unknown = Reflect.get(error, key);
    const next = redactAny(value, redact, seen);
    if (next !== value) Reflect.set(error, key, next);
  }
  return error;
}

/** Keys are names that somebody chose: two of them must not become one, so only what has the form of a credential goes. */
function redactPlain(value: object, redact: Redact, seen: Seen): object {
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    seen.set(value, items);
    for (const each of value) items.push(redactAny(each, redact, seen));
    return items;
  }
  const copy: Record<string, unknown> = {};
  seen.set(value, copy);
  for (const [key, each] of Object.entries(value))
    copy[redactShapes(key)] = redactAny(each, redact, seen);
  return copy;
}

function redactAny(value: unknown, redact: Redact, seen: Seen): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  if (value instanceof Error) return redactError(value, redact, seen);
  return Array.isArray(value) || isPlain(value) ? redactPlain(value, redact, seen) : value;
}

/**
 * A value as it may leave the program, in a log, an event, an error or an answer: no text in it has a credential,
 * wherever it came from. Errors are changed in place; plain objects and arrays are copied.
 */
export const redacted = <T>(value: T, redact: Redact): T =>
  redactAny(value, redact, new Map()) as T;
