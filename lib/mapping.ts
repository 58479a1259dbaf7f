/** A plain object, of whichever realm: no list, no `Map`, and nothing that a class makes. */
export function isMapping(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
