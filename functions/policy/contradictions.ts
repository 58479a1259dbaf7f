import { HOUR_MS, MINUTE_MS } from '../time.ts';
import { databaseContradictions } from './database-contradictions.ts';
import { formatDuration } from './duration.ts';
import { HIGHEST_JITTER } from './jitter.ts';
import { type Policy, secretPrefix, type TokenPolicy } from './policy.ts';
import type { PolicyIssue } from './policy-error.ts';

/** Secrets Manager keeps 100 versions younger than a day: about one write every 15 minutes. */
const SHORTEST_CADENCE_MS = 15 * MINUTE_MS;

/** A run ends after 15 minutes, and starts nothing that it could not see through. */
const LONGEST_ACTIVATION_MS = 13 * MINUTE_MS;

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

function sendsInClear(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function* clusterContradictions({ cluster }: Policy): Generator<PolicyIssue> {
  const { url, dataUrl = url, allowPlainHttp, accountId, clusterId } = cluster;
  const clear = [url, dataUrl].find(sendsInClear);
  if (clear !== undefined && !allowPlainHttp) {
    yield {
      path: ['cluster', clear === url ? 'url' : 'dataUrl'],
      message: `${clear} would carry tokens in clear; use https, or set allowPlainHttp: true where the network is trusted`,
    };
  }
  if ((accountId === undefined) !== (clusterId === undefined)) {
    yield { path: ['cluster'], message: 'accountId and clusterId go together' };
  }
}

function* secretContradictions({ owner, tokens, cluster }: Policy): Generator<PolicyIssue> {
  const prefix = secretPrefix(owner);
  if (cluster.managementToken.startsWith(prefix)) {
    const message = `${cluster.managementToken} stands among the secrets that Keyturn writes (${prefix}…); keep it elsewhere`;
    yield { path: ['cluster', 'managementToken'], message };
  }
  const bySecret = new Map<string, string>();
  for (const { name, secret } of tokens) {
    const path = ['tokens', name, 'secret'];
    const other = bySecret.get(secret);
    if (other !== undefined) {
      const message = `${secret} is the secret of "${other}" too; two entries cannot share one`;
      yield { path, message };
    }
    bySecret.set(secret, name);
    if (secret === cluster.managementToken) {
      const message = `${secret} holds the management token, which Keyturn only reads`;
      yield { path, message };
    }
  }
}

function activationContradictions({ activationTimeout }: Policy): PolicyIssue[] {
  if (activationTimeout <= LONGEST_ACTIVATION_MS) return [];
  const shown = formatDuration(activationTimeout);
  const longest = formatDuration(LONGEST_ACTIVATION_MS);
  const message = `${shown} does not fit into a run, which ends after 15m; the longest is ${longest}`;
  return [{ path: ['activationTimeout'], message }];
}

/** Policies that parse and still cannot be meant. */
export function contradictions(policy: Policy): PolicyIssue[] {
  const ofTokens = policy.tokens.flatMap((token) =>
    [...contradictionsOf(token, policy)].map(([key, message]) => ({
      path: ['tokens', token.name, key],
      message,
    })),
  );
  const empty = { path: ['tokens'], message: 'names no token; an empty policy is never meant' };
  return [
    ...(policy.tokens.length === 0 ? [empty] : []),
    ...ofTokens,
    ...secretContradictions(policy),
    ...clusterContradictions(policy),
    ...activationContradictions(policy),
    ...databaseContradictions(policy.databases),
  ];
}
