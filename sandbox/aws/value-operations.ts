import { z } from 'zod';
import { AwsError, invalidParameter, invalidRequest, notFound } from './aws-error.ts';
import { seconds } from './describe.ts';
import { matchesAll } from './filters.ts';
import { holderOf } from './labels.ts';
import { page } from './paging.ts';
import { members, type Operation, operation, requireToken } from './request.ts';
import { refuseTwoValues } from './secret-operations.ts';
import type { Secret, SecretVersion } from './state.ts';
import type { Store } from './store.ts';
import { addVersion, hasValue, sameValue, tokenInUse } from './versions.ts';

const putSecretValue = operation(
  z.object({
    SecretId: members.secretId,
    ClientRequestToken: members.token,
    SecretString: members.secretString,
    SecretBinary: members.secretBinary,
    VersionStages: z.array(members.stage).min(1).max(20).default(['AWSCURRENT']),
    RotationToken: z.string().min(36).max(256).optional(),
  }),
  (store, input) => {
    const id = requireToken(input.ClientRequestToken);
    const version = { id, secretString: input.SecretString, secretBinary: input.SecretBinary };
    refuseTwoValues(version.secretString, version.secretBinary);
    if (version.secretString === undefined && version.secretBinary === undefined)
      throw invalidRequest('You must provide either SecretString or SecretBinary.');
    const secret = store.findWritable(input.SecretId);
    const made = secret.versions[id];
    const filled = made !== undefined && hasValue(made);
    if (filled && !sameValue(made, version)) throw tokenInUse(secret, id);
    // A repeated Put changes nothing, and does not move labels back (PutSecretValue, API Reference).
    const after = filled
      ? secret
      : store.save(addVersion(secret, version, input.VersionStages, store.now()));
    return {
      ARN: secret.arn,
      Name: secret.name,
      VersionId: id,
      VersionStages: after.versions[id]?.stages,
    };
  },
);

const getSecretValue = operation(
  z.object({
    SecretId: members.secretId,
    VersionId: members.versionId.optional(),
    VersionStage: members.stage.optional(),
  }),
  (store, input) => {
    const secret = store.findUsable(input.SecretId, store.readLagMs);
    return read(store, secret, select(secret, input.VersionId, input.VersionStage));
  },
);

function select(secret: Secret, id: string | undefined, stage: string | undefined): SecretVersion {
  const label = stage ?? 'AWSCURRENT';
  const version = secret.versions[id ?? holderOf(secret.versions, label) ?? ''];
  if (version === undefined)
    throw id === undefined ? noValue(`staging label: ${label}`) : noValue(`VersionId: ${id}`);
  if (stage !== undefined && !version.stages.includes(stage))
    throw invalidRequest(
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  // A placeholder has labels and an id, but no value. Which of the two AWS names is a guess.
  if (!hasValue(version))
    throw stage === undefined ? noValue(`VersionId: ${id}`) : noValue(`staging label: ${stage}`);
  return version;
}

const noValue = (what: string) =>
  notFound(`Secrets Manager can't find the specified secret value for ${what}`);

function read(store: Store, secret: Secret, version: SecretVersion) {
  store.touch(secret, version.id);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    SecretString: version.secretString,
    SecretBinary: version.secretBinary,
    VersionStages: version.stages.length > 0 ? version.stages : undefined,
    CreatedDate: seconds(version.createdAt),
  };
}

const batchGetSecretValue = operation(
  z.object({
    SecretIdList: z.array(members.secretId).min(1).max(20).optional(),
    Filters: members.filters,
    MaxResults: z.number().int().min(1).max(20).optional(),
    NextToken: members.nextToken,
  }),
  (store, input) => {
    const { SecretIdList: ids, Filters: filters } = input;
    if ((ids === undefined) === (filters === undefined))
      throw invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.");
    if (ids !== undefined && input.MaxResults !== undefined)
      throw invalidParameter(
        "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
      );
    if (ids !== undefined) return readEach(store, ids);
    const matching = store
      .list(store.readLagMs)
      .filter((secret) => secret.deletedAt === undefined && matchesAll(secret, filters ?? []));
    const { items, NextToken } = page(matching, (secret) => [secret.createdAt, secret.name], {
      ...input,
      MaxResults: input.MaxResults ?? 20,
    });
    return {
      ...readEach(
        store,
        items.map((secret) => secret.arn),
      ),
      NextToken,
    };
  },
);

function readEach(store: Store, ids: readonly string[]) {
  const SecretValues: object[] = [];
  const Errors: object[] = [];
  for (const id of ids) {
    try {
      const secret = store.findUsable(id, store.readLagMs);
      SecretValues.push(read(store, secret, select(secret, undefined, 'AWSCURRENT')));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues, Errors };
}

export const valueOperations: Readonly<Record<string, Operation>> = {
  PutSecretValue: putSecretValue,
  GetSecretValue: getSecretValue,
  BatchGetSecretValue: batchGetSecretValue,
};
