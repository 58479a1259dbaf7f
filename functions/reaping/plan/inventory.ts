import type { Token } from '../../management-api/token.ts';
import { entryOf, type Policy } from '../../policy/policy.ts';
import type { Finding } from '../../run/plan.ts';
import { holdOf } from '../../secrets-manager/secret.ts';
import { formatInstant } from '../../time.ts';
import { parseMarker } from '../../tokens/marker.ts';
import type { Observation, ObservedSecret } from '../../tokens/observation.ts';
import { currentHolder, isExpired, isStripped } from '../../tokens/state.ts';

const MOST_NAMED = 5;
const ANY = '*';

/** One finding for many tokens: how many, and the first few ids. */
function summary(kind: string, tokens: readonly Token[], what: string): Finding[] {
  if (tokens.length === 0) return [];
  const named = tokens
    .map(({ id }) => id)
    .sort()
    .slice(0, MOST_NAMED);
  const rest = tokens.length > MOST_NAMED ? ', …' : '';
  const message = `${tokens.length} ${tokens.length === 1 ? 'token' : 'tokens'} ${what}: ${named.join(', ')}${rest}`;
  return [{ kind, message }];
}

function secretFindings(seen: ObservedSecret, policy: Policy, now: number): Finding[] {
  const { name } = seen.secret;
  const findings: Finding[] = [];
  const report = (kind: string, message: string) => findings.push({ kind, secret: name, message });
  const hold = holdOf(seen.secret);
  const current = currentHolder(seen);
  if (hold) report('Held', `on hold (${hold}) until a person removes the hold`);
  else if (current?.state === 'owned' && isStripped(current.owned)) {
    report('Held', 'its current token has no permissions');
  }
  if (current?.state === 'foreign') report('LostMarker', 'its current token lacks our marker');
  if (!entryOf(policy, name)) {
    const expiresAt = current?.state === 'owned' ? current.owned.token.expiresAt : undefined;
    const end = expiresAt === undefined ? '' : `; its token expires at ${formatInstant(expiresAt)}`;
    report('Unlisted', `no entry of the policy names it${end}`);
  }
  if (current?.state === 'owned' && isExpired(current.owned.token, now)) {
    report('Expired', 'its current token has expired');
  }
  return findings;
}

/**
 * What a person should know about the cluster's tokens and our secrets: held, unlisted, expired and
 * foreign ones, tokens without an expiry, permissions on every database and on databases that do not exist.
 */
export function takeInventory(policy: Policy, observation: Observation): Finding[] {
  const { secrets, databases, at } = observation;
  const foreign = [...observation.foreign.values()];
  const observed = [...secrets.values()];
  const owned = observed.flatMap(({ tokens }) => tokens.map(({ token }) => token));
  const all = [...owned, ...foreign];
  const granting = (test: (resource: string) => boolean) =>
    all.filter(({ permissions }) => permissions.some(({ resource }) => test(resource)));
  const unknown = granting((name) => name !== ANY && databases?.has(name) === false);
  return [
    ...observed.flatMap((seen) => secretFindings(seen, policy, at)),
    { kind: 'Owned', message: `${owned.length} tokens in ${observed.length} secrets` },
    ...summary('Foreign', foreign, 'of others'),
    ...summary(
      'Stray',
      foreign.filter(({ description }) => parseMarker(description)?.marker.owner === policy.owner),
      'with our owner in the marker and no secret of ours (deleted, copied, or of another Region)',
    ),
    ...summary(
      'Immortal',
      all.filter(({ expiresAt }) => expiresAt === undefined),
      'without an expiry',
    ),
    ...summary(
      'ForeignExpired',
      foreign.filter((token) => isExpired(token, at)),
      'of others, expired',
    ),
    ...summary(
      'Wildcard',
      granting((name) => name === ANY),
      'with a permission on every database',
    ),
    ...summary('UnknownDatabase', unknown, 'with a permission on a database that does not exist'),
  ];
}
