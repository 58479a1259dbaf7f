import { formatDuration, HOUR_MS, MINUTE_MS } from './duration.ts';
import { HIGHEST_JITTER } from './jitter.ts';
import type { Policy, TokenPolicy } from './policy.ts';
import type { PolicyIssue } from './policy-error.ts';

/** Secrets Manager keeps 100 versions younger than a day: about one write every 15 minutes. */
const SHORTEST_CADENCE_MS = 15 * MINUTE_MS;

function* contradictionsOf(
  token: TokenPolicy,
  policy: Policy,
): Generator<readonly [string, string]> {
  const { rotateEvery, renewBefore, expiresAfter, gracePeriod } = token;
  const shown = formatDuration;
  if (token.permissions.length === 0) {
    yield ['permissions', 'grants nothing; name at least one database under read or write'];
  }
  if (rotateEvery < SHORTEST_CADENCE_MS) {
    yield [
      'rotateEvery',
      `${shown(rotateEvery)} is more often than Secrets Manager keeps versions for; the shortest cadence is ${shown(SHORTEST_CADENCE_MS)}`,
    ];
  }
  if (gracePeriod < HOUR_MS && !policy.allowGracePeriodUnderAnHour) {
    yield [
      'gracePeriod',
      `${shown(gracePeriod)} is shorter than the hour at which AWS's caching clients re-read a secret; set allowGracePeriodUnderAnHour: true if every consumer re-reads sooner`,
    ];
  }
  const soonest = rotateEvery * (1 - HIGHEST_JITTER);
  if (gracePeriod >= soonest) {
    yield [
      'gracePeriod',
      `${shown(gracePeriod)} does not fit between two rotations, which come as close as ${shown(soonest)}`,
    ];
  }
  if (expiresAfter === undefined) return;
  if (expiresAfter < rotateEvery + gracePeriod) {
    yield [
      'expiresAfter',
      `${shown(expiresAfter)} is shorter than rotateEvery plus gracePeriod (${shown(rotateEvery + gracePeriod)}), so a token would expire while consumers still use it`,
    ];
  } else if (renewBefore < gracePeriod) {
    yield [
      'renewBefore',
      `${shown(renewBefore)} is shorter than gracePeriod (${shown(gracePeriod)}), so a token renewed at the last moment would expire while consumers still use it`,
    ];
  } else if (expiresAfter - renewBefore < SHORTEST_CADENCE_MS) {
    yield [
      'renewBefore',
      `${shown(renewBefore)} leaves a token that expires after ${shown(expiresAfter)} no life before it is renewed`,
    ];
  }
}

/** Policies that parse and still cannot be meant. */
export function contradictions(policy: Policy): PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  if (policy.tokens.length === 0) {
    issues.push({ path: ['tokens'], message: 'names no token; an empty policy is never meant' });
  }
  const bySecret = new Map<string, string>();
  for (const token of policy.tokens) {
    for (const [key, message] of contradictionsOf(token, policy)) {
      issues.push({ path: ['tokens', token.name, key], message });
    }
    const other = bySecret.get(token.secret);
    if (other !== undefined) {
      issues.push({
        path: ['tokens', token.name, 'secret'],
        message: `${token.secret} is the secret of "${other}" too; two entries cannot share one`,
      });
    }
    bySecret.set(token.secret, token.name);
    if (token.secret === policy.cluster.managementToken) {
      issues.push({
        path: ['tokens', token.name, 'secret'],
        message: `${token.secret} holds the management token, which Keyturn only reads`,
      });
    }
  }
  if ((policy.cluster.accountId === undefined) !== (policy.cluster.clusterId === undefined)) {
    issues.push({ path: ['cluster'], message: 'accountId and clusterId go together' });
  }
  return issues;
}
