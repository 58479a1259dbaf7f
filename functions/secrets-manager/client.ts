import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
  SecretsManagerServiceException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { type RetryOptions, retry, type Timing } from '../retry.ts';
import { TokenValue } from '../token-value.ts';
import { type RateLimit, rateLimit } from './rate-limit.ts';
import { OWNER_TAG, type Secret } from './secret.ts';
import { fromDescription, fromListing } from './secret-record.ts';
import { BinaryValueError, type Secrets, UnreadableSecretError } from './secrets.ts';

export interface SecretsOptions extends Timing {
  /** How long one request may take; 20 seconds where absent. */
  readonly timeoutMs?: number;
  readonly client?: SecretsManagerClientConfig;
  readonly writesPerSecond: number;
  /** The instant after which nothing is retried. */
  readonly deadline: () => number;
}

/** The most that one call of `ListSecrets` returns (`MaxResults`). */
const CONNECTION_TIMEOUT_MS = 5_000;
const TIMEOUT_MS = 20_000;
const PAGE = 100;
/** `DeleteSecret` takes 7 to 30 days (`RecoveryWindowInDays`). */
const RECOVERY_DAYS = 30;

/** Throttled, broken or unreachable: the same call may succeed a moment later. */
function isTransient(error: unknown): boolean {
  // A network error, not a programming error or missing credentials.
  if (!(error instanceof SecretsManagerServiceException)) {
    return error instanceof Error && ('code' in error || error.name === 'TimeoutError');
  }
  return isThrottled(error) || (error.$metadata.httpStatusCode ?? 0) >= 500;
}

/** The call had no effect. */
const isThrottled = (error: unknown): boolean =>
  error instanceof SecretsManagerServiceException &&
  /Throttl|TooManyRequests|RequestLimit|SlowDown/.test(error.name);

/**
 * Refusals that are about one secret: what its policy, its KMS key or its state forbids. Throttling, credentials
 * that expired and a network that broke are about every secret, so they are not here.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html (Errors)
 */
const ABOUT_ONE_SECRET = /^(AccessDeniedException|DecryptionFailure|InvalidRequestException)$/;

const isAboutOneSecret = (error: unknown): error is SecretsManagerServiceException =>
  error instanceof SecretsManagerServiceException && ABOUT_ONE_SECRET.test(error.name);

/** Rejects with UnreadableSecretError where the secret itself is the reason. */
async function ofOneSecret<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isAboutOneSecret(error)) throw error;
    throw new UnreadableSecretError(`${name}: ${error.name}: ${error.message}`, { cause: error });
  }
}

const tagList = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export function createSecrets(options: SecretsOptions): Secrets {
  // The SDK does not retry: its own retries would not know the deadline.
  const client = new SecretsManagerClient({
    maxAttempts: 1,
    // Without it a server that accepts a request and never answers would be waited for without end.
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: options.timeoutMs ?? TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
    ...options.client,
  });
  // The three have quotas of their own, of the same size.
  const [writable, taggable, creatable] = [1, 2, 3].map(() =>
    rateLimit(options.writesPerSecond, options),
  ) as [RateLimit, RateLimit, RateLimit];
  const again = <T>(attempt: () => Promise<T>, retryable = isTransient) =>
    retry(attempt, {
      ...options,
      retryable,
      attempts: 5,
      baseMs: 200,
      maxMs: 5_000,
      deadline: options.deadline(),
    } satisfies RetryOptions);
  const orUndefined = async <T>(attempt: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await again(attempt);
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };

  return {
    async list(owner) {
      const secrets: Secret[] = [];
      let NextToken: string | undefined;
      do {
        const page = await again(() =>
          client.send(
            new ListSecretsCommand({
              Filters: [
                { Key: 'tag-key', Values: [OWNER_TAG] },
                { Key: 'tag-value', Values: [owner] },
              ],
              IncludePlannedDeletion: true,
              MaxResults: PAGE,
              NextToken,
            }),
          ),
        );
        secrets.push(...(page.SecretList ?? []).map(fromListing));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      // The filters match beginnings, and a value of any tag, so they find too much.
      // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
      return secrets.filter(({ tags }) => tags[OWNER_TAG] === owner);
    },

    describe: (name) =>
      orUndefined(async () =>
        fromDescription(await client.send(new DescribeSecretCommand({ SecretId: name }))),
      ),

    async versionTimes(name) {
      const times = new Map<string, number>();
      let NextToken: string | undefined;
      do {
        const input = { SecretId: name, IncludeDeprecated: true, MaxResults: PAGE, NextToken };
        const page = await ofOneSecret(name, () =>
          orUndefined(() => client.send(new ListSecretVersionIdsCommand(input))),
        );
        for (const { VersionId, CreatedDate } of page?.Versions ?? []) {
          if (VersionId && CreatedDate) times.set(VersionId, CreatedDate.getTime());
        }
        NextToken = page?.NextToken;
      } while (NextToken !== undefined);
      return times;
    },

    async value(name, version) {
      const found = await orUndefined(() =>
        client.send(new GetSecretValueCommand({ SecretId: name, VersionId: version })),
      );
      if (!found) return undefined;
      if (found.SecretString === undefined) {
        throw new BinaryValueError(
          `${name} has a binary value, and Keyturn reads no bytes: store it as text (put-secret-value --secret-string)`,
        );
      }
      return new TokenValue(found.SecretString);
    },

    async create(name, { description, tags, encryptionKey }) {
      const { ARN: arn } = await again(async () => {
        await creatable();
        return client.send(
          new CreateSecretCommand({
            Name: name,
            Description: description,
            Tags: tagList(tags),
            KmsKeyId: encryptionKey,
          }),
        );
      });
      if (!arn) throw new Error(`Secrets Manager created ${name} and returned no ARN`);
      return { name, arn, labels: {}, tags, changedAt: options.now(), replica: false };
    },

    async put(name, version, value, label) {
      await again(async () => {
        await writable();
        await client.send(
          new PutSecretValueCommand({
            SecretId: name,
            ClientRequestToken: version,
            SecretString: value.reveal(),
            VersionStages: [label],
          }),
        );
      });
    },

    async moveLabel(name, label, { to, from }) {
      // After another failure it may have moved, and a repetition would say that it is not there.
      await again(async () => {
        await writable();
        await client.send(
          new UpdateSecretVersionStageCommand({
            SecretId: name,
            VersionStage: label,
            MoveToVersionId: to,
            RemoveFromVersionId: from,
          }),
        );
      }, isThrottled);
    },

    async tag(name, tags) {
      await again(async () => {
        await taggable();
        await client.send(new TagResourceCommand({ SecretId: name, Tags: tagList(tags) }));
      });
    },

    async untag(name, keys) {
      await again(async () => {
        await taggable();
        await client.send(new UntagResourceCommand({ SecretId: name, TagKeys: [...keys] }));
      });
    },

    async delete(name) {
      await again(() =>
        client.send(
          new DeleteSecretCommand({ SecretId: name, RecoveryWindowInDays: RECOVERY_DAYS }),
        ),
      );
    },
  };
}
