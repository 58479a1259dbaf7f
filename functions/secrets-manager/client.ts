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

/** What Keyturn asks of Secrets Manager. All reject with the SDK's errors; none holds a value. */
export interface Secrets {
  /** Every secret tagged with this owner, those scheduled for deletion too; up to five minutes old. */
  list(owner: string): Promise<Secret[]>;
  /** Undefined: there is no such secret. */
  describe(name: string): Promise<Secret | undefined>;
  /** The string of a version, or of AWSCURRENT; undefined where there is none. */
  value(name: string, version?: string): Promise<TokenValue | undefined>;
  /** An empty one, without a version. Rejects if the name is taken. */
  create(name: string, options: NewSecret): Promise<Secret>;
  /** Puts a version if there is none of that id; repeating it with the same value does nothing. */
  put(name: string, version: string, value: TokenValue, label: string): Promise<void>;
  /** Compare-and-set of a label: fails unless it sits on `from` (undefined: on no version). Never repeated. */
  moveLabel(name: string, label: string, move: { to?: string; from?: string }): Promise<void>;
  tag(name: string, tags: Readonly<Record<string, string>>): Promise<void>;
  untag(name: string, keys: readonly string[]): Promise<void>;
  /** With the longest recovery window. */
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
  /** An instant behind which nothing is tried again. */
  readonly deadline: () => number;
}

const PAGE = 100;
const RECOVERY_DAYS = 30;

/** Throttled, broken or unreachable: the same call may succeed a moment later. */
function isTransient(error: unknown): boolean {
  // Of the network, and not a mistake of ours or missing credentials.
  if (!(error instanceof SecretsManagerServiceException)) {
    return error instanceof Error && ('code' in error || error.name === 'TimeoutError');
  }
  const throttled = /Throttl|TooManyRequests|RequestLimit|SlowDown/.test(error.name);
  return throttled || (error.$metadata.httpStatusCode ?? 0) >= 500;
}

const tagList = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export function createSecrets(options: SecretsOptions): Secrets {
  // One place retries, with the time and the deadline that it was given; the SDK's own would not know them.
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
      // The filters match prefixes and any tag's value, so they only narrow the search.
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
      if (found.SecretString === undefined) throw new Error(`${name} holds bytes, not a string`);
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
      if (!arn) throw new Error(`Secrets Manager created ${name} without an ARN`);
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
