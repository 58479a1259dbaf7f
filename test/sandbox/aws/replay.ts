import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished } from 'vitest';
import type { AwsOptions } from '../../../sandbox/aws/server.ts';
import recorded from './recorded.json' with { type: 'json' };
import { start } from './start.ts';

type Trace = Readonly<Record<string, unknown>>;

const traces: Readonly<Record<string, { readonly content: Trace }>> = recorded.traces;

/**
 * Re-enacts what was once done to AWS, and compares each answer with AWS's. A test that leaves one
 * recorded answer uncompared fails.
 */
export async function replay(name: string, options: Partial<AwsOptions> = {}) {
  const { aws, client } = await start(options);
  const content = traces[name]?.content ?? {};
  const open = new Set(Object.keys(content));
  const versionIds: string[] = [];
  const SecretId = 'replayed';

  onTestFinished(() => expect([...open], 'answers that were not compared').toEqual([]));

  const match = <T extends object>(key: string, answer: T): T => {
    open.delete(key);
    for (const id of idsIn(answer)) if (!versionIds.includes(id)) versionIds.push(id);
    expect(normalise(answer, versionIds)).toEqual(normalise(content[key], []));
    return answer;
  };

  return {
    aws,
    client,
    match,
    secretId: SecretId,
    /** Numbers a version whose making was not recorded. */
    know: (id: string) => versionIds.push(id),
    async matchError(key: string, call: Promise<unknown>) {
      open.delete(key);
      const error: unknown = await call.catch((thrown: unknown) => thrown);
      expect(errorText(error)).toBe(recordedError(content[key]));
    },
    async create(key: string, SecretString?: string) {
      const command = new CreateSecretCommand({ Name: SecretId, SecretString });
      return match(key, await client.send(command)).VersionId ?? '';
    },
    async put(key: string, SecretString: string, VersionStages?: string[]) {
      const command = new PutSecretValueCommand({ SecretId, SecretString, VersionStages });
      return match(key, await client.send(command)).VersionId ?? '';
    },
    async move(key: string, from: string, to?: string, VersionStage = 'AWSCURRENT') {
      const command = new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage,
        RemoveFromVersionId: from,
        MoveToVersionId: to,
      });
      match(key, await client.send(command));
    },
    async get(key: string, VersionId?: string) {
      match(key, await client.send(new GetSecretValueCommand({ SecretId, VersionId })));
    },
    async list(key: string, IncludeDeprecated?: boolean) {
      const command = new ListSecretVersionIdsCommand({ SecretId, IncludeDeprecated });
      match(key, await client.send(command));
    },
    async describe(key: string) {
      match(key, await client.send(new DescribeSecretCommand({ SecretId })));
    },
    async remove(key: string) {
      const command = new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true });
      match(key, await client.send(command));
    },
  };
}

const errorText = (error: unknown) =>
  error instanceof Error ? `${error.name}: ${error.message}` : 'no error';

/** LocalStack kept an error either as boto3's object or as its one-line text. */
function recordedError(error: unknown): string {
  const text =
    typeof error === 'string'
      ? error.replace(/^An error occurred \((\w+)\) when calling the \w+ operation: /, '$1: ')
      : boto3Error(error as { Error: { Code: string; Message: string } });
  return text.replace('<SecretId-0idx>', 'replayed').replace('<version-id>', 'x'.repeat(36));
}

const boto3Error = ({ Error: { Code, Message } }: { Error: { Code: string; Message: string } }) =>
  `${Code}: ${Message}`;

function idsIn(answer: object): readonly string[] {
  const { VersionId, Versions = [] } = answer as {
    VersionId?: string;
    Versions?: readonly { VersionId: string }[];
  };
  return [VersionId, ...Versions.map((version) => version.VersionId)].filter(
    (id) => id !== undefined,
  );
}

/** What both sides name differently gets one name; lists without an order get one. */
function normalise(answer: unknown, versionIds: readonly string[]): unknown {
  const text = JSON.stringify(answer, (key, value: unknown) => {
    if (key === '$metadata') return undefined;
    if (key === 'Name') return 'name';
    if (key === 'ARN') return 'arn';
    if (key === 'RotationLambdaARN') return 'lambda';
    if (key.endsWith('Date')) return 'date';
    return value;
  });
  const numbered = versionIds
    .reduce((all, id, index) => all.replaceAll(id, `<version:${index + 1}>`), text)
    .replace(/<(version_)?uuid:/g, '<version:');
  return JSON.parse(numbered, (key, value: unknown) => {
    if (!Array.isArray(value)) return value;
    if (key === 'VersionStages') return value.toSorted();
    return key === 'Versions' ? value.toSorted(byVersionId) : value;
  });
}

const byVersionId = (a: { VersionId: string }, b: { VersionId: string }) =>
  a.VersionId.localeCompare(b.VersionId);
