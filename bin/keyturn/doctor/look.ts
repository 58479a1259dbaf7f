import { awsCall } from '../../../functions/aws-call.ts';
import type { Check } from '../../../functions/examination/check.ts';
import { sentenceOf } from '../failure.ts';

/** For one call of AWS, with the repetitions that the SDK makes of it. */
export const PATIENCE_MS = 20_000;

/** More than any service has room for: 5,000 alarms. */
const MOST_PAGES = 60;

interface Page {
  readonly NextToken?: string | undefined;
}

/**
 * All pages of a listing, one after the other.
 * @param call its operation and what it is about, for errors
 * @param ask for the page behind a token, or for the first one
 */
export async function allPages<P extends Page>(
  call: string,
  ask: (
    next: { readonly NextToken?: string },
    how: { readonly abortSignal: AbortSignal },
  ) => Promise<P>,
): Promise<readonly P[]> {
  const pages: P[] = [];
  let next: { NextToken?: string } = {};
  while (pages.length < MOST_PAGES) {
    const page = await awsCall(call, PATIENCE_MS, (how) => ask(next, how));
    pages.push(page);
    if (!page.NextToken) return pages;
    next = { NextToken: page.NextToken };
  }
  throw new Error(`${call}: more than ${MOST_PAGES} pages`);
}

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
