import type { Asked } from '../sandbox/asked.ts';
import { describe } from '../sandbox/aws/describe.ts';
import type { Reply } from '../sandbox/interception.ts';
import { fleetOf, type Issued, namesOf } from './fleet-state.ts';

const PER_PAGE = 100;
/** All bodies at once, as one list of texts. */
export const BODIES = '/bodies';

const iso = (ms: number) => new Date(ms).toISOString();

/** Listings of a fleet, written beforehand: whoever serves them computes nothing. */
export function cannedListings(issued: Issued, count: number, url: string) {
  const fleet = fleetOf(issued, namesOf(count), url);
  const tokens = JSON.stringify(
    fleet.map(({ token: { id, description, permissions, createdAt, expiresAt = 0 } }) => {
      return { id, description, permissions, createdAt: iso(createdAt), expiresAt: iso(expiresAt) };
    }),
  );
  const pages = Array.from({ length: Math.ceil(count / PER_PAGE) }, (_, page) => {
    const ofPage = fleet.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
    const isLast = (page + 1) * PER_PAGE >= count;
    return JSON.stringify({
      SecretList: ofPage.map(({ secret }) => describe(secret, 'SecretVersionsToStages')),
      ...(!isLast && { NextToken: String(page + 1) }),
    });
  });
  const bodyOf = ({ method, url: path, headers, body }: Asked): string | undefined => {
    if (path === BODIES) return JSON.stringify([tokens, ...pages]);
    if (method === 'GET' && path.endsWith('/tokens')) return tokens;
    if (!String(headers['x-amz-target']).endsWith('.ListSecrets')) return undefined;
    return pages[Number(JSON.parse(body.toString()).NextToken ?? 0)];
  };
  /** Undefined: it asks for something else. */
  return (asked: Asked): Reply | undefined => {
    const body = bodyOf(asked);
    return body === undefined ? undefined : { status: 200, body };
  };
}
