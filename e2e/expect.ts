import { isDeepStrictEqual } from 'node:util';

/** @throws Error naming what was found and what was expected */
export function expect(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  throw new Error(`${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
}
