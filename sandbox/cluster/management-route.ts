import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod';
import { parseJson } from './json.ts';
import { Refusal } from './refusal.ts';
import type { World } from './state.ts';

export interface ManagementRequest {
  /** Decoded path parameters by name. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One operation of the Management API. */
export interface ManagementRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** The path after the prefix; parameters are `:name`. */
  readonly path: string;
  /** Returns the body of a 200, or undefined for a 204. Throws `Refusal`. */
  readonly answer: (request: ManagementRequest, world: World) => unknown;
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseOrUndefined(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function parseBody(body: Buffer): object {
  const value = parseOrUndefined(body.toString('utf8'));
  if (!isObject(value)) throw new Refusal(400, 'request body must be a JSON object');
  return value;
}

const problem = ({ path, message }: z.core.$ZodIssue) =>
  [path.join('.'), message].filter(Boolean).join(': ');

/** The body of the request, checked; unknown properties are allowed. */
export function readBody<T extends z.ZodType>({ body }: ManagementRequest, schema: T): z.output<T> {
  const parsed = schema.safeParse(parseBody(body));
  if (!parsed.success) throw new Refusal(400, parsed.error.issues.map(problem).join('; '));
  return parsed.data;
}

/** Like `readBody`, for a body with `minProperties: 1` in the specification. */
export function readUpdate<T extends z.ZodType>(
  request: ManagementRequest,
  schema: T,
): z.output<T> {
  if (Object.keys(parseBody(request.body)).length === 0) {
    throw new Refusal(400, 'request body must have at least one property');
  }
  return readBody(request, schema);
}

// Not z.uuid(), which refuses 11111111-1111-1111-1111-111111111111, the id that clients send.
const uuid = z.guid();

/** A path parameter that must be a UUID. */
export function uuidParam({ params }: ManagementRequest, name: string): string {
  const value = params[name] ?? '';
  if (!uuid.safeParse(value).success) throw new Refusal(400, `${name} must be a UUID`);
  return value.toLowerCase();
}

/** A path parameter that must be an int64 of 1 or more. */
export function idParam({ params }: ManagementRequest, name: string): number {
  const value = params[name] ?? '';
  if (!/^\d{1,19}$/.test(value) || BigInt(value) < 1n || BigInt(value) >= 2n ** 63n) {
    throw new Refusal(400, `${name} must be a positive integer`);
  }
  return Number(value);
}
