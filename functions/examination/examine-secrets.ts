import { managementSecret, type Policy } from '../policy/policy.ts';
import { counted } from '../run/counted.ts';
import type { FoundManagementToken, LookTools } from '../run/look-tools.ts';
import {
  ANOTHER_IN_HAND,
  IN_HAND,
  ManagementTokenError,
  MisshapenTokenError,
} from '../secrets-manager/management-token.ts';
import { DAY_MS, formatInstant } from '../time.ts';
import { awsRefusal } from './aws-refusal.ts';
import { type Check, examined, type Verdict } from './check.ts';

/** An identity provider that never answers is asked three times, for ten seconds each, before it is named. */
const TOKEN_MS = 40_000;
/** As the alarm has it (lib/alarms.ts). */
const SOON_DAYS = 14;
/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MOST_SECRETS = 500_000;

type Cluster = Policy['cluster'];

type By = Pick<FoundManagementToken, 'by'>;

/** Where the token that is sent to the Management API is from, behind `the one`. */
export function sourceOf(cluster: Cluster, { by }: By): string {
  if (by === 'hand') return IN_HAND;
  return cluster.oauth
    ? `of the client ${cluster.oauth.clientId} at ${new URL(cluster.oauth.tokenUrl).host}`
    : `in ${managementSecret(cluster)}`;
}

/** What to do about a token that may do too little, or that the cluster does not know. */
export const howToMend = (cluster: Cluster, { by }: By): string =>
  by === 'hand' ? ANOTHER_IN_HAND : howToMake(cluster);

const howToMake = (cluster: Cluster): string =>
  cluster.oauth
    ? 'put its user into the group Admin of the cluster (docs/management-token.md)'
    : `make one (influxctl management create) and put it into the secret ${managementSecret(cluster)} (aws secretsmanager put-secret-value)`;

/** By its name: it comes from another bundle, which has a class of its own. Its message says what to do. */
const isOfProvider = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'IdentityProviderError';

function unread(error: unknown, policy: Policy): Verdict {
  const { cluster } = policy;
  if (error instanceof ManagementTokenError) {
    const { cause } = error;
    return isOfProvider(cause)
      ? { state: 'fail', found: cause.message }
      : awsRefusal(cause, `secretsmanager:GetSecretValue on ${managementSecret(cluster)}`, policy);
  }
  const found = error instanceof Error ? error.message : String(error);
  const isSaid = cluster.oauth || error instanceof MisshapenTokenError;
  return { state: 'fail', found, ...(!isSaid && { advice: howToMake(cluster) }) };
}

const readFrom = (token: By, cluster: Cluster): string => {
  if (token.by === 'hand') return 'it was given by hand';
  return token.by === 'secret'
    ? `it can be read in the secret ${managementSecret(cluster)}`
    : `the identity provider gives the one ${sourceOf(cluster, token)}`;
};

function daysLeft({ by, expiresAt }: FoundManagementToken, cluster: Cluster, now: number): Verdict {
  const secret = managementSecret(cluster);
  if (by === 'identity provider') {
    return {
      state: 'warn',
      found: `every one is new; when the secret of the client in ${secret} expires, nobody but the provider knows`,
    };
  }
  if (by === 'hand') {
    return { state: 'warn', found: 'it was given by hand, and nothing says when it expires' };
  }
  if (expiresAt === undefined) {
    return {
      state: 'warn',
      found: `${secret} does not say when it expires, so no alarm warns of it`,
      advice: `write it so: {"token": "…", "expiresAt": "2027-01-01T00:00:00Z"}`,
    };
  }
  if (Number.isNaN(expiresAt)) {
    const advice = 'write an instant, such as 2027-01-01T00:00:00Z';
    return { state: 'warn', found: `the expiresAt in ${secret} is no instant`, advice };
  }
  if (!Number.isFinite(expiresAt))
    return { state: 'ok', found: `${secret} says that it never expires` };
  const days = Math.floor((expiresAt - now) / DAY_MS);
  const when = formatInstant(expiresAt);
  if (expiresAt <= now) {
    return { state: 'fail', found: `it expired at ${when}`, advice: howToMake(cluster) };
  }
  const found = `${counted(days, 'day')} left (until ${when})`;
  return days < SOON_DAYS
    ? { state: 'warn', found, advice: howToMake(cluster) }
    : { state: 'ok', found };
}

/** Looks whether the management token can be read, and when it ends. Absent: it was not read. */
export async function examineManagementToken({ policy, managementToken, now }: LookTools): Promise<{
  readonly checks: readonly Check[];
  readonly token?: FoundManagementToken;
}> {
  const { cluster } = policy;
  let read: FoundManagementToken | undefined;
  const look = async (): Promise<Verdict> => {
    try {
      read = await managementToken();
    } catch (error) {
      return unread(error, policy);
    }
    return { state: 'ok', found: readFrom(read, cluster) };
  };
  const found = await examined('management token', look, TOKEN_MS);
  if (!read) return { checks: [found] };
  const expiry = { check: 'its expiry', ...daysLeft(read, cluster, now()) };
  return { checks: [found, expiry], token: read };
}

/** Looks whether Secrets Manager lists the secrets of the owner, and whether there is room for more. */
export const examineSecrets = ({ policy, secrets }: LookTools): Promise<Check> =>
  examined('Secrets Manager', async () => {
    const { owner, tokens } = policy;
    try {
      const found = await secrets.list(owner);
      const said = `it lists ${counted(found.length, 'secret')} of ${owner}; the policy has ${counted(tokens.length, 'token')}`;
      return found.length + tokens.length > MOST_SECRETS
        ? { state: 'warn', found: `${said}; an account has room for ${MOST_SECRETS}` }
        : { state: 'ok', found: said };
    } catch (error) {
      return awsRefusal(error, 'secretsmanager:ListSecrets', policy);
    }
  });
