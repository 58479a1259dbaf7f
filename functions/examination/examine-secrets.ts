import type { LookTools } from '../run/look-tools.ts';
import { type ManagementToken, ManagementTokenError } from '../secrets-manager/management-token.ts';
import { DAY_MS, formatInstant } from '../time.ts';
import { awsRefusal } from './aws-refusal.ts';
import { type Check, examined, type Verdict } from './check.ts';

/** As the alarm has it (lib/alarms.ts). */
const SOON_DAYS = 14;
/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const MOST_SECRETS = 500_000;

/** How the management token is made and where it goes. */
export const howToMake = (secret: string): string =>
  `make one (influxctl management create) and put it into the secret ${secret} (aws secretsmanager put-secret-value)`;

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

type Read = ManagementToken & { readonly given: boolean };

function unread(error: unknown, secret: string): Verdict {
  if (error instanceof ManagementTokenError) {
    return awsRefusal(error.cause, `secretsmanager:GetSecretValue on ${secret}`);
  }
  const found = error instanceof Error ? error.message : String(error);
  return { state: 'fail', found, advice: howToMake(secret) };
}

function daysLeft({ given, expiresAt }: Read, secret: string, now: number): Verdict {
  if (given) {
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
  const days = Math.floor((expiresAt - now) / DAY_MS);
  const when = formatInstant(expiresAt);
  if (expiresAt <= now) {
    return { state: 'fail', found: `it expired at ${when}`, advice: howToMake(secret) };
  }
  const found = `${counted(days, 'day')} left (until ${when})`;
  return days < SOON_DAYS
    ? { state: 'warn', found, advice: howToMake(secret) }
    : { state: 'ok', found };
}

/** Looks whether the management token can be read, and when it ends. Absent: it was not read. */
export async function examineManagementToken({ policy, managementToken, now }: LookTools): Promise<{
  readonly checks: readonly Check[];
  readonly token?: ManagementToken['value'];
}> {
  const secret = policy.cluster.managementToken;
  let read: Read | undefined;
  const found = await examined('management token', async () => {
    try {
      read = await managementToken();
    } catch (error) {
      return unread(error, secret);
    }
    return {
      state: 'ok',
      found: read.given ? 'it was given by hand' : `it can be read in the secret ${secret}`,
    };
  });
  if (!read) return { checks: [found] };
  const expiry = { check: 'its expiry', ...daysLeft(read, secret, now()) };
  return { checks: [found, expiry], token: read.value };
}

/** Looks whether Secrets Manager lists the secrets of the owner, and whether there is room for more. */
export const examineSecrets = ({ policy: { owner, tokens }, secrets }: LookTools): Promise<Check> =>
  examined('Secrets Manager', async () => {
    try {
      const found = await secrets.list(owner);
      const said = `it lists ${counted(found.length, 'secret')} of ${owner}; the policy has ${counted(tokens.length, 'token')}`;
      return found.length + tokens.length > MOST_SECRETS
        ? { state: 'warn', found: `${said}; an account has room for ${MOST_SECRETS}` }
        : { state: 'ok', found: said };
    } catch (error) {
      return awsRefusal(error, 'secretsmanager:ListSecrets');
    }
  });
