import { sha512 } from '../cluster/grants.ts';
import type { StoredToken } from '../cluster/state.ts';
import type { LogLine } from '../lambda/instance.ts';
import type { Sandbox } from '../sandbox.ts';
import { grants } from './policy.ts';
import { currentValue, short } from './stage.ts';

const MARKER = /\[keyturn:1 owner=demo [^\]]*\]$/;

const isOurs = ({ description, revokedAt }: StoredToken) =>
  MARKER.test(description) && revokedAt === undefined;

/** The string in a value, which is JSON or the string alone. */
const stringIn = (value: string) => /"token":\s*"([^"]+)"/.exec(value)?.[1] ?? value;

/** The strings that are stored, also in versions without a label unless only those with one count. */
function storedStrings({ aws }: Sandbox, labelled: 'labelled' | 'any'): readonly string[] {
  const versions = Object.values(aws.state.secrets).flatMap((each) => Object.values(each.versions));
  return versions
    .filter(({ stages }) => labelled === 'any' || stages.length > 0)
    .flatMap(({ secretString }) => (secretString === undefined ? [] : stringIn(secretString)));
}

/** Which string a cluster holds only as its hash. */
const hashesOf = (strings: readonly string[]) => new Set(strings.map(sha512));

/**
 * What must hold at any moment (A): what consumers read under AWSCURRENT is accepted by every router, for
 * all that the policy grants.
 */
export function refusedNow(sandbox: Sandbox, secret: string): string[] {
  const { token, tokenId } = currentValue(sandbox, secret);
  const isAccepted = (grants.get(secret) ?? []).every(({ action, database }) =>
    sandbox.cluster.accepts(token, action, database),
  );
  return isAccepted ? [] : [`A: not every router accepts ${short(tokenId)}, current in ${secret}`];
}

/** What must hold at any moment (C): no token of ours has a permission unless its string is stored. */
export function unstoredNow(sandbox: Sandbox): string[] {
  const stored = hashesOf(storedStrings(sandbox, 'any'));
  return sandbox.cluster.state.tokens
    .filter((token) => isOurs(token) && token.permissions.length > 0 && !stored.has(token.sha512))
    .map(({ id }) => `C: ${short(id)} has permissions, and its string is stored nowhere`);
}

/**
 * What must hold at the end: no token string was logged or published (I), and no token of ours is
 * lost (D).
 */
export function brokenAtLast(sandbox: Sandbox, logs: readonly LogLine[]): string[] {
  const { cluster, aws } = sandbox;
  const published = `${logs.map(({ text }) => text).join('\n')}${JSON.stringify(aws.state.events)}`;
  const leaked = storedStrings(sandbox, 'any').filter((string) => published.includes(string));
  const labelled = hashesOf(storedStrings(sandbox, 'labelled'));
  const lost = cluster.state.tokens.filter(
    (token) =>
      isOurs(token) && !labelled.has(token.sha512) && !/ superseded=/.test(token.description),
  );
  return [
    ...leaked.map(() => 'I: a log or an event contains a token string'),
    ...lost.map(({ id }) => `D: ${short(id)} is neither in use nor being retired`),
  ];
}
