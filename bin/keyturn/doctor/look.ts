import type { Check } from '../../../functions/examination/check.ts';
import { sentenceOf } from '../failure.ts';

/** For one call of AWS, with the repetitions that the SDK makes of it. */
export const PATIENCE_MS = 20_000;

/** The services have a name of their own each for it. */
const DENIED = /AccessDenied|Unauthori[sz]ed|AuthorizationError|NotAuthori[sz]ed/;

/** What could not be looked at, and the permission that lacks, if that is why. */
export function unseen(check: string, permission: string, error: unknown): Check {
  const found = `not seen: ${sentenceOf(error)}`;
  const isDenied = error instanceof Error && DENIED.test(error.name);
  return {
    check,
    state: 'unknown',
    found,
    ...(isDenied && { advice: `your own credentials need ${permission}` }),
  };
}

/** One look at AWS, which never rejects. */
export async function lookedAt(
  check: string,
  permission: string,
  look: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    return await look();
  } catch (error) {
    return [unseen(check, permission, error)];
  }
}

/** `1 alarm`, `2 alarms` */
export const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;
