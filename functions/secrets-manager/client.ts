import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
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
import { rateLimit } from './rate-limit.ts';
import { OWNER_TAG, type Secret } from './secret.ts';
import { fromDescription, fromListing } from './secret-record.ts';

/** What Keyturn asks Secrets Manager for. All calls reject with the SDK's errors, which contain no secret value. */
export interface Secrets {
  /**
   * Every secret tagged with this owner, also those scheduled for deletion. `ListSecrets` may miss the
   * changes of the last five minutes.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
   */
  list(owner: string): Promise<Secret[]>;
  /** Undefined: no secret has this name or ARN. */
  describe(name: string): Promise<Secret | undefined>;
  /** The string of a version, or of AWSCURRENT. Undefined: there is no such secret, version or value. */
  value(name: string, version?: string): Promise<TokenValue | undefined>;
  /** Creates a secret without a version. Rejects if the name is taken. */
  create(name: string, options: NewSecret): Promise<Secret>;
  /**
   * Puts a version whose id is the ClientRequestToken, 32 to 64 characters. A repetition with the same
   * value does nothing; with another value `PutSecretValue` refuses it.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
   */
  put(name: string, version: string, value: TokenValue, label: string): Promise<void>;
  /**
   * Compare-and-set of a label: fails unless the label is on `from` (undefined: on no version). Without
   * `to` the label is only taken off. Never repeated, because a move that was made already fails.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
   */
  moveLabel(name: string, label: string, move: { to?: string; from?: string }): Promise<void>;
  tag(name: string, tags: Readonly<Record<string, string>>): Promise<void>;
  untag(name: string, keys: readonly string[]): Promise<void>;
  /** Schedules the deletion, with the longest recovery window: 30 days (`DeleteSecret`). */
  delete(name: string): Promise<void>;
}

export interface NewSecret {
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  /** KMS key ARN or alias; absent: the account's default key. */
  readonly encryptionKey?: string | undefined;
}

export interface SecretsOptions extends Timing {
  readonly client?: SecretsManagerClientConfig;
  readonly writesPerSecond: number;
  /** The instant after which nothing is retried. */
  readonly deadline: () => number;
}

/** The most that one call of `ListSecrets` returns (`MaxResults`). */
const PAGE = 100;
/** `DeleteSecret` takes 7 to 30 days (`RecoveryWindowInDays`). */
const RECOVERY_DAYS = 30;

/** Throttled, broken or unreachable: the same call may succeed a moment later. */
function isTransient(error: unknown): boolean {
  // A network error, not a programming error or missing credentials.
  if (!(error instanceof SecretsManagerServiceException)) {
    return error instanceof Error && ('code' in error || error.name === 'TimeoutError');
  }
  const throttled = /Throttl|TooManyRequests|RequestLimit|SlowDown/.test(error.name);
  return throttled || (error.$metadata.httpStatusCode ?? 0) >= 500;
}

const tagList = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export function createSecrets(options: SecretsOptions): Secrets {
  // The SDK does not retry: its own retries would not know the deadline.
  const client = new SecretsManagerClient({ maxAttempts: 1, ...options.client });
  const writable = rateLimit(options.writesPerSecond, options);
  const again = <T>(attempt: () => Promise<T>) =>
    retry(attempt, {
      ...options,
      retryable: isTransient,
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

    async value(name, version) {
      const found = await orUndefined(() =>
        client.send(new GetSecretValueCommand({ SecretId: name, VersionId: version })),
      );
      if (!found) return undefined;
      if (found.SecretString === undefined) throw new Error(`${name} has a binary value`);
      return new TokenValue(found.SecretString);
    },

    async create(name, { description, tags, encryptionKey }) {
      const { ARN: arn } = await again(() =>
        client.send(
          new CreateSecretCommand({
            Name: name,
            Description: description,
            Tags: tagList(tags),
            KmsKeyId: encryptionKey,
          }),
        ),
      );
      if (!arn) throw new Error(`Secrets Manager created ${name} and returned no ARN`);
      return { name, arn, labels: {}, tags, replica: false };
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
      await writable();
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: name,
          VersionStage: label,
          MoveToVersionId: to,
          RemoveFromVersionId: from,
        }),
      );
    },

    async tag(name, tags) {
      await again(() =>
        client.send(new TagResourceCommand({ SecretId: name, Tags: tagList(tags) })),
      );
    },

    async untag(name, keys) {
      await again(() =>
        client.send(new UntagResourceCommand({ SecretId: name, TagKeys: [...keys] })),
      );
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
