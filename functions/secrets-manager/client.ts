import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  ReplicateSecretToRegionsCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
  SecretsManagerServiceException,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import {
  type AwsCallOptions,
  awsCalls,
  awsClient,
  ForeignAnswerError,
  isThrottled,
} from '../aws-call.ts';
import { TokenValue } from '../token-value.ts';
import { readingQuickly } from './listed-quickly.ts';
import { type RateLimit, rateLimit } from './rate-limit.ts';
import { OWNER_TAG, type Secret } from './secret.ts';
import { fromDescription, fromListing, replicasOf } from './secret-record.ts';
import {
  BinaryValueError,
  type NewReplica,
  type Secrets,
  UnreadableSecretError,
} from './secrets.ts';

export interface SecretsOptions extends AwsCallOptions {
  readonly client?: SecretsManagerClientConfig;
  readonly writesPerSecond: number;
}

/** The most that one call of `ListSecrets` returns (`MaxResults`). */
const PAGE = 100;
/**
 * Quotas of the whole account and Region, which nobody can raise: `ListSecrets` and `ListSecretVersionIds` have 50 calls
 * a second together, `DescribeSecret` and `GetSecretValue` 10,000, all calls about resource policies 50. Others need them, too.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const LISTS_PER_SECOND = 25;
const READS_PER_SECOND = 1_000;
const POLICY_READS_PER_SECOND = 25;
/** `DeleteSecret` takes 7 to 30 days (`RecoveryWindowInDays`). */
const RECOVERY_DAYS = 30;

/**
 * Refusals that are about one secret: what its policy, its KMS key or its state forbids. Throttling, credentials
 * that expired and a network that broke are about every secret, so they are not here.
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html (Errors)
 */
const ABOUT_ONE_SECRET = /^(AccessDeniedException|DecryptionFailure|InvalidRequestException)$/;

const isAboutOneSecret = (error: unknown): error is SecretsManagerServiceException =>
  error instanceof SecretsManagerServiceException && ABOUT_ONE_SECRET.test(error.name);

/** Rejects with UnreadableSecretError where the secret itself is the reason. */
async function ofOneSecret<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isAboutOneSecret(error)) throw error;
    throw new UnreadableSecretError(`${error.name}: ${error.message}`, { cause: error });
  }
}

const tagList = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const regionList = (regions: readonly NewReplica[]) =>
  regions.map(({ region, encryptionKey }) => ({ Region: region, KmsKeyId: encryptionKey }));

interface Page {
  readonly NextToken?: string | undefined;
}

/** 120,000 secrets, as many as the tokens that one listing of the cluster may have (`MAX_BYTES`), and 10,000 versions: many times what a secret has. */
const MOST_PAGES = { secrets: 1_200, versions: 100 };

/** Every page of a list, or none. A server that names a page twice, or ever new ones, would be asked for ever. */
async function* pagesOf<P extends Page>(
  place: string,
  most: number,
  read: (NextToken: string | undefined) => Promise<P | undefined>,
): AsyncGenerator<P> {
  const named = new Set<string | undefined>();
  let next: string | undefined;
  do {
    if (named.has(next)) {
      throw new ForeignAnswerError(place, 200, 'with a NextToken that it gave before');
    }
    if (named.size === most) {
      throw new ForeignAnswerError(
        place,
        200,
        `there is more of it after page ${most}, the last that is read`,
      );
    }
    named.add(next);
    const page = await read(next);
    if (!page) return;
    yield page;
    next = page.NextToken;
  } while (next !== undefined);
}

export function createSecrets(options: SecretsOptions): Secrets {
  const client = awsClient(SecretsManagerClient, options.client ?? {});
  const { ask, again } = awsCalls(options);
  // The three have quotas of their own, of the same size. `DeleteSecret` has one, too, and is called for few.
  const [writable, taggable, creatable] = [1, 2, 3].map(() =>
    rateLimit(options.writesPerSecond, options),
  ) as [RateLimit, RateLimit, RateLimit];
  const [listable, describable, readable, shareable] = [
    LISTS_PER_SECOND,
    READS_PER_SECOND,
    READS_PER_SECOND,
    POLICY_READS_PER_SECOND,
  ].map((perSecond) => rateLimit(perSecond, options)) as [
    RateLimit,
    RateLimit,
    RateLimit,
    RateLimit,
  ];
  const orUndefined = async <T>(attempt: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await again(attempt);
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  };

  /** What a proxy answers for AWS may be empty: then nothing was seen, and nothing done. */
  const present = <T>(part: T | undefined, place: string, what: string): T => {
    if (part === undefined) throw new ForeignAnswerError(place, 200, `without ${what}`);
    return part;
  };

  return {
    async list(owner) {
      const place = `ListSecrets of owner ${owner}`;
      const secrets: Secret[] = [];
      const pages = pagesOf(place, MOST_PAGES.secrets, (from) => {
        const command = new ListSecretsCommand({
          Filters: [
            { Key: 'tag-key', Values: [OWNER_TAG] },
            { Key: 'tag-value', Values: [owner] },
          ],
          IncludePlannedDeletion: true,
          MaxResults: PAGE,
          NextToken: from,
        });
        const read = readingQuickly(command);
        return again(async () => {
          await listable(place);
          const { NextToken, SecretList } = await ask(place, (how) => client.send(command, how));
          return {
            NextToken,
            listed: read() ?? present(SecretList, place, 'a list').map(fromListing),
          };
        });
      });
      for await (const { listed } of pages) secrets.push(...listed);
      // The filters match beginnings, and a value of any tag, so they find too much.
      // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
      return secrets.filter(({ tags }) => tags[OWNER_TAG] === owner);
    },

    describe: (name) =>
      orUndefined(async () => {
        const place = `DescribeSecret of ${name}`;
        const command = new DescribeSecretCommand({ SecretId: name });
        await describable(place);
        const found = await ask(place, (how) => client.send(command, how));
        present(found.ARN, place, 'an ARN');
        return fromDescription(found);
      }),

    async versionTimes(name) {
      const place = `ListSecretVersionIds of ${name}`;
      const times = new Map<string, number>();
      const pages = pagesOf(place, MOST_PAGES.versions, (NextToken) => {
        const command = new ListSecretVersionIdsCommand({
          SecretId: name,
          IncludeDeprecated: true,
          MaxResults: PAGE,
          NextToken,
        });
        return ofOneSecret(() =>
          orUndefined(async () => {
            await listable(place);
            return ask(place, (how) => client.send(command, how));
          }),
        );
      });
      for await (const { Versions } of pages) {
        for (const { VersionId, CreatedDate } of present(Versions, place, 'a list')) {
          if (VersionId && CreatedDate) times.set(VersionId, CreatedDate.getTime());
        }
      }
      return times;
    },

    async resourcePolicy(name) {
      const place = `GetResourcePolicy of ${name}`;
      const command = new GetResourcePolicyCommand({ SecretId: name });
      const found = await ofOneSecret(() =>
        again(async () => {
          await shareable(place);
          return ask(place, (how) => client.send(command, how));
        }),
      );
      // A secret without a policy is shown by its ARN alone.
      present(found.ARN, place, 'an ARN');
      return found.ResourcePolicy;
    },

    async value(name, version) {
      const place = `GetSecretValue of ${name}`;
      const command = new GetSecretValueCommand({ SecretId: name, VersionId: version });
      const found = await orUndefined(async () => {
        await readable(place);
        return ask(place, (how) => client.send(command, how));
      });
      if (!found) return undefined;
      if (found.SecretBinary !== undefined) {
        throw new BinaryValueError(
          `${name} has a binary value, and Keyturn reads no bytes: store it as text (put-secret-value --secret-string)`,
        );
      }
      return new TokenValue(present(found.SecretString, place, 'a value'));
    },

    async create(name, { description, tags, encryptionKey, replicaRegions = [] }) {
      const place = `CreateSecret of ${name}`;
      const command = new CreateSecretCommand({
        Name: name,
        Description: description,
        Tags: tagList(tags),
        KmsKeyId: encryptionKey,
        // The list may not be empty.
        ...(replicaRegions.length > 0 && { AddReplicaRegions: regionList(replicaRegions) }),
      });
      const { ARN } = await again(async () => {
        await creatable(place);
        return ask(place, (how) => client.send(command, how));
      });
      const arn = present(ARN, place, 'an ARN');
      return { name, arn, labels: {}, tags, changedAt: options.now(), replica: false, isNew: true };
    },

    async put(name, version, value, label) {
      const place = `PutSecretValue of ${name}`;
      const command = new PutSecretValueCommand({
        SecretId: name,
        ClientRequestToken: version,
        SecretString: value.reveal(),
        VersionStages: [label],
      });
      const { VersionId } = await again(async () => {
        await writable(place);
        return ask(place, (how) => client.send(command, how));
      });
      present(VersionId, place, 'a version');
    },

    async moveLabel(name, label, { to, from }) {
      const place = `UpdateSecretVersionStage of ${name}`;
      const command = new UpdateSecretVersionStageCommand({
        SecretId: name,
        VersionStage: label,
        MoveToVersionId: to,
        RemoveFromVersionId: from,
      });
      // After another failure it may have moved, and a repetition would say that it is not there.
      const { ARN } = await again(async () => {
        await writable(place);
        return ask(place, (how) => client.send(command, how));
      }, isThrottled);
      present(ARN, place, 'an ARN');
    },

    async replicate(name, regions) {
      const place = `ReplicateSecretToRegions of ${name}`;
      const command = new ReplicateSecretToRegionsCommand({
        SecretId: name,
        AddReplicaRegions: regionList(regions),
      });
      const { ReplicationStatus } = await again(async () => {
        await writable(place);
        return ask(place, (how) => client.send(command, how));
      });
      return replicasOf(present(ReplicationStatus, place, 'a status'));
    },

    async tag(name, tags) {
      const place = `TagResource of ${name}`;
      const command = new TagResourceCommand({ SecretId: name, Tags: tagList(tags) });
      await again(async () => {
        await taggable(place);
        await ask(place, (how) => client.send(command, how));
      });
    },

    async untag(name, keys) {
      const place = `UntagResource of ${name}`;
      const command = new UntagResourceCommand({ SecretId: name, TagKeys: [...keys] });
      await again(async () => {
        await taggable(place);
        await ask(place, (how) => client.send(command, how));
      });
    },

    async delete(name) {
      const place = `DeleteSecret of ${name}`;
      const command = new DeleteSecretCommand({
        SecretId: name,
        RecoveryWindowInDays: RECOVERY_DAYS,
      });
      const { DeletionDate } = await again(() => ask(place, (how) => client.send(command, how)));
      present(DeletionDate, place, 'the date of its deletion');
    },

    disconnect: () => client.destroy(),
  };
}
