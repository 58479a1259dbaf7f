import { DAY_MS, HOUR_MS, MINUTE_MS } from '../time.ts';
import { nameInArn, SECRET_SUFFIX } from './aws-names.ts';
import { databaseContradictions } from './database-contradictions.ts';
import { formatDuration } from './duration.ts';
import { HIGHEST_JITTER } from './jitter.ts';
import {
  DEFAULT_LIFETIMES,
  managementSecret,
  managementSecretPath,
  type Policy,
  secretPrefix,
  sendsUnencrypted,
  type TokenPolicy,
} from './policy.ts';
import type { PolicyIssue } from './policy-error.ts';

/**
 * Secrets Manager allows about 100 versions and removes none in their first day: one write every 15 minutes.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const SHORTEST_CADENCE_MS = 15 * MINUTE_MS;

/**
 * One probe may take ten seconds, and a token is accepted when several are. A run ends after 15 minutes, and begins no
 * token that it cannot finish.
 */
export const ACTIVATION_MS = { least: 10_000, most: 13 * MINUTE_MS };

/** Routers that learn of a token at different times have been seen minutes apart, never a day. */
export const SETTLE_MS = { least: MINUTE_MS, most: DAY_MS };

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
      `${shown(rotateEvery)} is too often: Secrets Manager allows only about 100 versions a day; the shortest is ${shown(SHORTEST_CADENCE_MS)}`,
    ];
  }
  if (rotateEvery < 2 * policy.settle) {
    yield [
      'rotateEvery',
      `${shown(rotateEvery)} is too short for settle (${shown(policy.settle)}), for which a new token waits before it is promoted; the shortest is twice that`,
    ];
  }
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_cache-java.html
  if (gracePeriod < HOUR_MS && !policy.allowGracePeriodUnderAnHour) {
    yield [
      'gracePeriod',
      `${shown(gracePeriod)} is shorter than the hour after which AWS's caching clients read a secret again; set allowGracePeriodUnderAnHour: true if every consumer reads it sooner`,
    ];
  }
  const soonest = rotateEvery * (1 - HIGHEST_JITTER);
  if (gracePeriod >= soonest) {
    yield [
      'gracePeriod',
      `${shown(gracePeriod)} must be shorter than the time between two rotations, which can be as short as ${shown(soonest)}`,
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
    const its = renewBefore === DEFAULT_LIFETIMES.renewBefore ? ', its default,' : '';
    const better = (gracePeriod + expiresAfter - rotateEvery) / 2;
    yield [
      'renewBefore',
      `${shown(renewBefore)}${its} leaves less than ${shown(SHORTEST_CADENCE_MS)} of expiresAfter (${shown(expiresAfter)}), so a token would be renewed as soon as it is made; write a shorter one, such as ${shown(better - (better % MINUTE_MS))}`,
    ];
  }
}

/** https://docs.influxdata.com/influxdb3/cloud-dedicated/api/management-api/ */
const isDedicated = (address: string): boolean =>
  /(?:^|\.)(?:influxdb\.io|influxdata\.com)$/i.test(new URL(address).hostname);

function* clusterContradictions({ cluster }: Policy): Generator<PolicyIssue> {
  const { url, dataUrl = url, allowPlainHttp, accountId, clusterId } = cluster;
  const unencrypted = [url, dataUrl].find(sendsUnencrypted);
  if (unencrypted !== undefined && !allowPlainHttp) {
    yield {
      path: ['cluster', unencrypted === url ? 'url' : 'dataUrl'],
      message: `${unencrypted} would send tokens unencrypted; use https, or set allowPlainHttp: true if the network is trusted`,
    };
  }
  if ((accountId === undefined) !== (clusterId === undefined)) {
    yield { path: ['cluster'], message: 'accountId and clusterId must be set together' };
  }
}

/** One way to a management token, and no second one that nobody uses. */
function* managementContradictions({ cluster }: Policy): Generator<PolicyIssue> {
  const { managementToken, oauth, url, dataUrl = url } = cluster;
  if (managementToken === undefined && oauth === undefined) {
    yield {
      path: ['cluster', 'managementToken'],
      message:
        'found nothing, expected the name of the secret with the management token, or cluster.oauth in its place',
    };
  }
  if (oauth === undefined) return;
  const path = ['cluster', 'oauth'];
  if (managementToken !== undefined) {
    const message = 'found beside managementToken, expected one without the other; take one out';
    yield { path, message };
  }
  if (sendsUnencrypted(oauth.tokenUrl)) {
    yield {
      path: [...path, 'tokenUrl'],
      message: `${oauth.tokenUrl} would send the client's secret unencrypted, which allowPlainHttp does not allow; use https`,
    };
  }
  if ([url, dataUrl].some(isDedicated)) {
    const message =
      "found with a cluster of Cloud Dedicated, whose identity provider is InfluxData's and gives nobody a client; use managementToken";
    yield { path, message };
  }
}

/** The names that a secret may have whose name or ARN is given: an ARN ends in six more characters, or is cut off before them. */
function namesOf(reference: string): readonly string[] {
  const name = nameInArn(reference);
  return name === reference ? [name] : [name, name.replace(SECRET_SUFFIX, '')];
}

function* secretContradictions({ owner, tokens, cluster }: Policy): Generator<PolicyIssue> {
  const prefix = secretPrefix(owner);
  const reference = managementSecret(cluster);
  const management = namesOf(reference);
  if (management.some((name) => name.startsWith(prefix))) {
    const message = `${reference} begins with ${prefix}, as the secrets that Keyturn writes do; give it another name`;
    yield { path: managementSecretPath(cluster), message };
  }
  const bySecret = new Map<string, string>();
  for (const { name, secret } of tokens) {
    const path = ['tokens', name, 'secret'];
    const other = bySecret.get(secret);
    if (other !== undefined) {
      const message = `${secret} is also the secret of "${other}"; two entries cannot share one`;
      yield { path, message };
    }
    bySecret.set(secret, name);
    if (management.includes(secret)) {
      const what = cluster.oauth ? "the OAuth client's secret" : 'the management token';
      const message = `${secret} contains ${what}, which Keyturn only reads`;
      yield { path, message };
    }
  }
}

/** A duration that must be within bounds; `because` says what happens outside of them. */
function outside(
  key: 'activationTimeout' | 'settle',
  found: number,
  { least, most }: { readonly least: number; readonly most: number },
  because: string,
): PolicyIssue[] {
  if (found >= least && found <= most) return [];
  const [shown, shortest, longest] = [found, least, most].map(formatDuration);
  const message = `found ${shown}, expected ${shortest} to ${longest}: ${because}`;
  return [{ path: [key], message }];
}

const activationContradictions = ({ activationTimeout }: Policy) =>
  outside(
    'activationTimeout',
    activationTimeout,
    ACTIVATION_MS,
    'within less, no probe could see that a token is accepted, and a run ends after 15m',
  );

const settleContradictions = ({ settle }: Policy) =>
  outside(
    'settle',
    settle,
    SETTLE_MS,
    'a token that is promoted before every router knows it is refused, and one that waits long is not in use',
  );

function adoptionContradictions({ tokens }: Policy): PolicyIssue[] {
  const byId = new Map<string, string>();
  return tokens.flatMap(({ name, adopt }) => {
    if (!adopt) return [];
    const id = adopt.tokenId.toLowerCase();
    const other = byId.get(id);
    byId.set(id, name);
    if (other === undefined) return [];
    const message = `${adopt.tokenId} is also adopted by "${other}"; one token cannot be in two secrets, because each is rotated by itself`;
    return [{ path: ['tokens', name, 'adopt', 'tokenId'], message }];
  });
}

/** What is wrong in a policy whose single values are all valid. */
export function contradictions(policy: Policy): PolicyIssue[] {
  const ofTokens = policy.tokens.flatMap((token) =>
    [...contradictionsOf(token, policy)].map(([key, message]) => ({
      path: ['tokens', token.name, key],
      message,
    })),
  );
  // One that holds databases alone is whole. Where what leaves it is retired, an empty list is more likely a mistake.
  const isWithoutTokens =
    policy.tokens.length === 0 && (policy.databases.length === 0 || policy.onRemoval === 'retire');
  const empty = { path: ['tokens'], message: 'names no token; a policy needs at least one' };
  return [
    ...(isWithoutTokens ? [empty] : []),
    ...ofTokens,
    ...managementContradictions(policy),
    ...secretContradictions(policy),
    ...adoptionContradictions(policy),
    ...clusterContradictions(policy),
    ...activationContradictions(policy),
    ...settleContradictions(policy),
    ...databaseContradictions(policy.databases),
  ];
}
