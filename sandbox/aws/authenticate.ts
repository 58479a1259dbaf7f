import type { Asked } from '../asked.ts';
import { realClock } from '../clock.ts';
import type { Account } from './account.ts';
import { AwsError } from './aws-error.ts';
import { type Claim, readClaim, signatureOf } from './signature.ts';

const SKEW_MS = 300_000;

const invalid = (message: string) => new AwsError('InvalidSignatureException', message);
const unrecognized = () =>
  new AwsError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  );

/** `20260115T120000Z` */
const compact = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;

const parseDate = (text: string) =>
  Date.parse(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));

function refuseDate(date: string, { day }: Claim, now: number, isOnClock: boolean): void {
  if (!date.startsWith(day))
    throw invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${date.slice(0, 8)}', from '${date}'.`,
    );
  const age = now - parseDate(date);
  if (!isOnClock || Math.abs(age) <= SKEW_MS) return;
  throw invalid(
    age > 0
      ? `Signature expired: ${date} is now earlier than ${compact(now - SKEW_MS)} (${compact(now)} - 5 min.)`
      : `Signature not yet current: ${date} is still later than ${compact(now + SKEW_MS)} (${compact(now)} + 5 min.)`,
  );
}

/** Those that say what is asked, and of whom. */
const mustBeSigned = (header: string) => header === 'host' || header.startsWith('x-amz-');

/** Where a request came to. */
export interface Place {
  readonly account: Account;
  readonly region: string;
  readonly service: string;
}

/**
 * Refuses a request that AWS would not believe. Throws AwsError; its texts are those that AWS documents:
 * docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
 */
export function authenticate(asked: Asked, { account, region, service }: Place): void {
  const { authorization } = asked.headers;
  if (authorization === undefined)
    throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  const claim = readClaim(authorization);
  const { 'x-amz-date': date, 'x-amz-security-token': token } = asked.headers;
  if (!claim || typeof date !== 'string' || Number.isNaN(parseDate(date)))
    throw new AwsError('IncompleteSignatureException', 'Request is missing Authentication Token');
  const key = account.keys.get(claim.accessKeyId);
  if (!key || key.sessionToken !== token) throw unrecognized();
  const now = account.clock.now();
  if (key.expiresAt !== undefined && key.expiresAt <= now)
    throw new AwsError(
      'ExpiredTokenException',
      'The security token included in the request is expired',
    );
  if (claim.region !== region)
    throw invalid(`Credential should be scoped to a valid region, not '${claim.region}'.`);
  if (claim.service !== service)
    throw invalid(`Credential should be scoped to correct service: '${service}'.`);
  // A person's program runs by the machine's clock, whatever that of the sandbox is.
  refuseDate(date, claim, now, token !== undefined || account.clock === realClock);
  const unsigned = Object.keys(asked.headers)
    .filter(mustBeSigned)
    .filter((name) => !claim.signedHeaders.includes(name));
  if (unsigned.length > 0 || signatureOf(asked, claim, key.secretAccessKey) !== claim.signature)
    throw invalid(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
}
