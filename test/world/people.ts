import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { PERSON } from '../../sandbox/aws/account.ts';
import type { Permission } from '../../sandbox/cluster/state.ts';
import type { SimulatedProcess } from '../../sandbox/lambda/simulated/process.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';

/** As read from a label; an act on what does not exist is refused. */
type Id = string | undefined;
type Label =
  | 'AWSCURRENT'
  | 'AWSPENDING'
  | 'AWSPREVIOUS'
  | 'keyturn-hold-freeze'
  | 'keyturn-hold-delete';

/** What people do by hand, by the same public interfaces as Keyturn. Every act throws if it is refused. */
export interface People {
  /** With a description, permissions, an expiry. */
  mint(token: object): Promise<{ readonly id: string; readonly accessToken: string }>;
  changeToken(
    id: Id,
    change: { readonly description?: string; readonly permissions?: readonly Permission[] },
  ): Promise<void>;
  deleteToken(id: Id): Promise<void>;
  createDatabase(name: string): Promise<void>;
  changeDatabase(name: string, change: object): Promise<void>;
  deleteDatabase(name: string): Promise<void>;
  renameDatabase(name: string, to: string): Promise<void>;
  undeleteDatabase(id: number): Promise<void>;

  createSecret(
    name: string,
    value?: string,
    tags?: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** A new version, which becomes AWSCURRENT. */
  saveValue(secret: string, value: string): Promise<void>;
  /** The same, of bytes. */
  saveBytes(secret: string, value: string): Promise<void>;
  /** A version with an id and a label of one's own choice. */
  putVersion(secret: string, version: string, value: string, label: Label | 'mine'): Promise<void>;
  /** Moves AWSCURRENT to another version. */
  makeCurrent(secret: string, version: Id): Promise<void>;
  takeOff(secret: string, label: Label): Promise<void>;
  /** Puts a label, which no version has, on a version. */
  label(secret: string, label: Label, version: Id): Promise<void>;
  /** Secrets Manager's own rotation, given up because its function is out of order: AWSPENDING stays, without a value. */
  cancelRotation(secret: string): Promise<void>;
  /** With thirty days in which it may be restored, or for good at once; its replicas first, with which AWS deletes none. */
  deleteSecret(secret: string, how?: 'for good'): Promise<void>;
  restoreSecret(secret: string): Promise<void>;
  replicate(secret: string, region: string): Promise<void>;
  /** Deletes the copy in another Region. */
  removeReplica(secret: string, region: string): Promise<void>;
  untag(secret: string, keys: readonly string[]): Promise<void>;
  tag(secret: string, tags: Readonly<Record<string, string>>): Promise<void>;
  hold(secret: string, kind: 'frozen' | 'deleted'): Promise<void>;
  encrypt(secret: string, key: string): Promise<void>;
  /** Gives a secret a resource policy. */
  share(secret: string, policy: object): Promise<void>;
  /** Makes a KMS key, with a policy of its own or KMS's default, and an alias if it is given one. Returns its ARN. */
  makeKey(options?: { readonly policy?: object; readonly alias?: string }): string;
}

const tagList = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** An administrator of both systems. */
export function createPeople(
  { cluster, aws }: Sandbox,
  labels: (secret: string) => Readonly<Record<string, string>>,
  machine?: SimulatedProcess,
): { readonly people: People; readonly secrets: SecretsManager } {
  const secrets = new SecretsManager({
    endpoint: aws.url,
    region: aws.region,
    credentials: PERSON,
  });

  const manage = async (method: string, path: string, body?: object) => {
    const authorization = `Bearer ${cluster.managementToken}`;
    const json = body && { 'content-type': 'application/json' };
    const answer = await fetch(`${cluster.url}/api/v0${path}`, {
      method,
      headers: { authorization, ...json },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const tag: People['tag'] = async (SecretId, tags) => {
    await secrets.tagResource({ SecretId, Tags: tagList(tags) });
  };

  const removeReplicas = async (SecretId: string, RemoveReplicaRegions: string[]) => {
    await secrets.removeRegionsFromReplication({ SecretId, RemoveReplicaRegions });
  };

  const people: People = {
    mint: (token) => manage('POST', '/tokens', token),
    changeToken: (id, change) => manage('PATCH', `/tokens/${id}`, change),
    deleteToken: (id) => manage('DELETE', `/tokens/${id}`),
    createDatabase: (name) => manage('POST', '/databases', { name }),
    changeDatabase: (name, change) => manage('PATCH', `/databases/${name}`, change),
    deleteDatabase: (name) => manage('DELETE', `/databases/${name}`),
    renameDatabase: (name, to) => manage('PUT', `/databases/${name}/rename`, { name: to }),
    undeleteDatabase: (id) => manage('PUT', `/databases/${id}/undelete`),
    async createSecret(Name, SecretString, tags = {}) {
      await secrets.createSecret({ Name, SecretString, Tags: tagList(tags) });
    },
    async saveValue(SecretId, SecretString) {
      await secrets.putSecretValue({ SecretId, SecretString });
    },
    async saveBytes(SecretId, value) {
      await secrets.putSecretValue({ SecretId, SecretBinary: new TextEncoder().encode(value) });
    },
    async putVersion(SecretId, ClientRequestToken, SecretString, label) {
      await secrets.putSecretValue({
        SecretId,
        ClientRequestToken,
        SecretString,
        VersionStages: [label],
      });
    },
    async makeCurrent(SecretId, MoveToVersionId) {
      await secrets.updateSecretVersionStage({
        SecretId,
        VersionStage: 'AWSCURRENT',
        MoveToVersionId,
        RemoveFromVersionId: labels(SecretId).AWSCURRENT,
      });
    },
    async takeOff(SecretId, VersionStage) {
      const RemoveFromVersionId = labels(SecretId)[VersionStage];
      await secrets.updateSecretVersionStage({ SecretId, VersionStage, RemoveFromVersionId });
    },
    async label(SecretId, VersionStage, MoveToVersionId) {
      await secrets.updateSecretVersionStage({ SecretId, VersionStage, MoveToVersionId });
    },
    async cancelRotation(SecretId) {
      aws.rotationInvoker = () => Promise.reject(new Error('out of order'));
      await secrets.rotateSecret({ SecretId, RotationLambdaARN: 'out-of-order' });
      await aws.settled();
      await secrets.cancelRotateSecret({ SecretId });
    },
    async replicate(SecretId, Region) {
      await secrets.replicateSecretToRegions({ SecretId, AddReplicaRegions: [{ Region }] });
    },
    removeReplica: (secret, region) => removeReplicas(secret, [region]),
    async deleteSecret(SecretId, how) {
      const replicas = Object.keys(aws.state.secrets[SecretId]?.replicas ?? {});
      if (replicas.length > 0) await removeReplicas(SecretId, replicas);
      const ForceDeleteWithoutRecovery = how === 'for good';
      await secrets.deleteSecret({ SecretId, ForceDeleteWithoutRecovery });
    },
    async restoreSecret(SecretId) {
      await secrets.restoreSecret({ SecretId });
    },
    async untag(SecretId, keys) {
      await secrets.untagResource({ SecretId, TagKeys: [...keys] });
    },
    tag,
    hold: (secret, kind) => tag(secret, { 'keyturn:hold': kind }),
    async share(SecretId, policy) {
      await secrets.putResourcePolicy({ SecretId, ResourcePolicy: JSON.stringify(policy) });
    },
    makeKey: ({ policy, alias } = {}) => aws.makeKey(policy && JSON.stringify(policy), alias),
    async encrypt(SecretId, KmsKeyId) {
      await secrets.updateSecret({ SecretId, KmsKeyId });
    },
  };
  return { people: machine ? onMachine(machine, people) : people, secrets };
}

/** The same acts, on a simulated machine. */
const onMachine = (machine: SimulatedProcess, people: People): People =>
  Object.fromEntries(
    Object.entries(people).map(([name, act]) => [
      name,
      (...given: never[]) => machine.run(() => (act as (...given: never[]) => unknown)(...given)),
    ]),
  ) as unknown as People;
