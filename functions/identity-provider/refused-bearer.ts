import { redact } from '../credentials.ts';
import { formatInstant } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import { visible } from '../visible.ts';
import { claimsIn } from './claims.ts';

/** What was seen of a token that the cluster refuses, and what to do. */
export interface RefusedBearer {
  readonly found: string;
  readonly advice: string;
}

/** An id has 40 characters, an address some more. */
const LONGEST = 100;
/** An audience may be a list of any length. */
const MOST = 3;

/** A claim is no credential, and whoever wrote it may have written anything. */
function shown(text: string): string {
  const said = visible(redact(text));
  return said.length > LONGEST ? `${said.slice(0, LONGEST)}…` : said;
}

/** A string, or several. Undefined: it is none. */
function textOf(claim: unknown): string | undefined {
  const texts = [claim].flat().filter((each) => typeof each === 'string' && each !== '');
  if (texts.length === 0) return undefined;
  const more = texts.length > MOST ? ['more'] : [];
  return [...texts.slice(0, MOST).map((each) => shown(String(each))), ...more].join(' and ');
}

/** RFC 7519, section 2: a NumericDate. Undefined: it is none, or no instant that a date can be. */
function instantOf(claim: unknown): number | undefined {
  const at = typeof claim === 'number' ? claim * 1_000 : Number.NaN;
  return Number.isNaN(new Date(at).getTime()) ? undefined : at;
}

/** What is not so at an instant, by the clock here. */
function* outOfTime(
  { exp, nbf }: Readonly<Record<string, unknown>>,
  now: number,
): Generator<string> {
  const [end, start] = [instantOf(exp), instantOf(nbf)];
  if (end !== undefined && end <= now)
    yield `its exp, ${formatInstant(end)}, is past by the clock here`;
  if (start !== undefined && start > now)
    yield `its nbf, ${formatInstant(start)}, is yet to come by the clock here`;
}

/**
 * What a token says of itself that a cluster may look at, and by which id its bearer is listed there: Entra's `sub` is
 * another one for each application, and its `oid` the same for all.
 */
export function refusedBearer(token: TokenValue, now: number): RefusedBearer {
  const claims = claimsIn(token.reveal());
  if (!claims) {
    return {
      found: 'it is no JWT, so no cluster can check it',
      advice:
        'have the provider give a JWT, by cluster.oauth.audience (Auth0) or scope (Okta, of an authorization server of your own): docs/management-token.md',
    };
  }
  const [sub, oid, aud, iss] = [claims.sub, claims.oid, claims.aud, claims.iss].map(textOf);
  const said = [
    sub ? `sub ${sub}` : 'no sub',
    ...(oid ? [`oid ${oid}`] : []),
    aud ? `aud ${aud}` : 'no aud',
  ];
  const times = [...outOfTime(claims, now)];
  const id = oid ? `oid, ${oid}` : sub && `sub, ${sub}`;
  const among = 'among the users of the cluster (its group is Admin)';
  return {
    found: [
      `it is a JWT with ${said.join(', ')} and ${iss ? `iss ${iss}` : 'no iss'}`,
      ...times,
    ].join('; '),
    advice: [
      ...(times.length > 0 ? ['compare the clocks of the provider, the cluster and here'] : []),
      id
        ? `list its ${id}, ${among}; if it stands there, see whether the cluster has the keys of that iss (jwksEndpoint), or wants another aud: docs/management-token.md`
        : `have the provider write sub into it (Keycloak: the client scope basic), and list that ${among}: docs/management-token.md`,
    ].join('; '),
  };
}
