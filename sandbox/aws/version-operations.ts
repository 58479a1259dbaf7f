import { z } from 'zod';
import { invalidParameter, notFound } from './aws-error.ts';
import { day, seconds } from './describe.ts';
import { attach, detach, holderOf } from './labels.ts';
import { page } from './paging.ts';
import { members, type Operation, operation } from './request.ts';
import type { Secret } from './state.ts';
import { withinLabels } from './versions.ts';

const updateSecretVersionStage = operation(
  z.object({
    SecretId: members.secretId,
    VersionStage: members.stage,
    RemoveFromVersionId: members.versionId.optional(),
    MoveToVersionId: members.versionId.optional(),
  }),
  (store, input) => {
    const { VersionStage: stage, RemoveFromVersionId: from, MoveToVersionId: to } = input;
    const secret = store.findWritable(input.SecretId);
    if (from === undefined && to === undefined)
      throw invalidParameter('You must provide RemoveFromVersionId or MoveToVersionId.');
    for (const id of [from, to]) if (id !== undefined) refuseMissing(secret, id);
    compareHolder(secret, stage, from);
    if (to === undefined && stage === 'AWSCURRENT')
      throw invalidParameter(
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
      );
    const { versions } = secret;
    store.save({
      ...secret,
      versions:
        to === undefined ? detach(versions, stage) : withinLabels(attach(versions, stage, to)),
    });
    return { ARN: secret.arn, Name: secret.name };
  },
);

/**
 * The compare-and-set: an attached label moves only if the caller names the version that has it
 * (UpdateSecretVersionStage, AWS Secrets Manager API Reference). It is not known whether AWS accepts
 * a label for the version that has it already; here this is an error.
 */
function compareHolder({ versions }: Secret, stage: string, from: string | undefined) {
  const holder = holderOf(versions, stage);
  if (from === holder) return;
  if (from === undefined)
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  // The text is of other emulators; the class of the error is documented.
  throw invalidParameter(
    `When you move staging label ${stage}, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label ${stage}.`,
  );
}

function refuseMissing(secret: Secret, id: string) {
  if (secret.versions[id] === undefined)
    throw notFound(`Secrets Manager can't find the specified secret value for VersionId: ${id}`);
}

const listSecretVersionIds = operation(
  z.object({
    SecretId: members.secretId,
    MaxResults: z.number().int().min(1).max(100).default(100),
    NextToken: members.nextToken,
    IncludeDeprecated: z.boolean().default(false),
  }),
  (store, input) => {
    const secret = store.find(input.SecretId, store.readLagMs);
    const listed = Object.values(secret.versions).filter(
      (version) => input.IncludeDeprecated || version.stages.length > 0,
    );
    const { items, NextToken } = page(listed, (version) => [version.createdAt, version.id], input);
    return {
      ARN: secret.arn,
      Name: secret.name,
      Versions: items.map((version) => ({
        VersionId: version.id,
        VersionStages: version.stages.length > 0 ? version.stages : undefined,
        CreatedDate: seconds(version.createdAt),
        LastAccessedDate: day(version.accessedAt),
        KmsKeyIds: [secret.kmsKeyId ?? 'DefaultEncryptionKey'],
      })),
      NextToken,
    };
  },
);

export const versionOperations: Readonly<Record<string, Operation>> = {
  UpdateSecretVersionStage: updateSecretVersionStage,
  ListSecretVersionIds: listSecretVersionIds,
};
