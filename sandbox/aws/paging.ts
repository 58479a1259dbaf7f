import { AwsError } from './aws-error.ts';
import { parseJson } from './json.ts';

export type SortKey = readonly [number | string, string];

export interface PageRequest {
  readonly MaxResults: number;
  readonly NextToken?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly NextToken: string | undefined;
}

/**
 * One page in the order of the keys. The token contains the last key of the page: an item that is added
 * or removed between two pages does not repeat or hide another item.
 */
export function page<T>(
  all: readonly T[],
  keyOf: (item: T) => SortKey,
  request: PageRequest,
  order: 'asc' | 'desc' = 'asc',
): Page<T> {
  const direction = order === 'asc' ? 1 : -1;
  const after = request.NextToken === undefined ? undefined : decode(request.NextToken);
  const rest = all
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => after === undefined || direction * compare(key, after) > 0)
    .sort((a, b) => direction * compare(a.key, b.key));
  const kept = rest.slice(0, request.MaxResults);
  const last = kept.at(-1);
  return {
    items: kept.map(({ item }) => item),
    NextToken: last !== undefined && kept.length < rest.length ? encode(last.key) : undefined,
  };
}

function compare([a, aName]: SortKey, [b, bName]: SortKey): number {
  if (a !== b) return a < b ? -1 : 1;
  if (aName === bName) return 0;
  return aName < bName ? -1 : 1;
}

const encode = (key: SortKey) => Buffer.from(JSON.stringify(key)).toString('base64url');

function decode(token: string): SortKey {
  const key = parseJson(Buffer.from(token, 'base64url').toString());
  const [value, name]: readonly unknown[] = Array.isArray(key) ? key : [];
  if ((typeof value === 'number' || typeof value === 'string') && typeof name === 'string')
    return [value, name];
  throw new AwsError('InvalidNextTokenException', 'The NextToken value is invalid.');
}
