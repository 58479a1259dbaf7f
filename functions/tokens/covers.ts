import type { Permission } from '../management-api/token.ts';
import { permissionText } from './marker.ts';

const ANY = '*';

/** Whether `declared` allows all that `given` does. */
export function covers(declared: readonly Permission[], given: readonly Permission[]): boolean {
  const allowed = new Set(declared.map(permissionText));
  return given.every(
    (each) =>
      allowed.has(permissionText(each)) || allowed.has(permissionText({ ...each, resource: ANY })),
  );
}
