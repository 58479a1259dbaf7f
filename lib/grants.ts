import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { scheduleName } from '../functions/environment.ts';
import { SECRET_SUFFIX } from '../functions/policy/aws-names.ts';
import {
  managementSecret,
  type Policy,
  type ReplicaRegion,
  secretPrefix,
  type TokenPolicy,
} from '../functions/policy/policy.ts';
import type { ReplicaThere } from './access.ts';
import { keyId, keyNamedIn, type NamedKey } from './kms-key.ts';
import { literalOf } from './references.ts';
import { SECRET_VERBS as VERBS } from './secret-verbs.ts';

const isArn = (text: string) => text.startsWith('arn:');

/**
 * Secrets Manager ends every ARN with "-" and six random characters, and takes an ARN without them for the same secret:
 * docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html
 * One whose name itself ends so it takes for a whole one, and finds no secret: API_GetSecretValue.html (SecretId).
 */
function secretArn(
  scope: Construct,
  name: string,
  suffix = '-??????',
  region = Stack.of(scope).region,
): string {
  if (isArn(name)) return SECRET_SUFFIX.test(name) ? name : `${name}${suffix}`;
  return Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    region,
    resourceName: `${name}${suffix}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

function busArn(scope: Construct, bus: string): string {
  if (isArn(bus)) return bus;
  return Stack.of(scope).formatArn({
    service: 'events',
    resource: 'event-bus',
    resourceName: bus,
  });
}

/** What a role may do, and the reason for its wildcard if it has one. */
export interface Grant {
  /** What is listed one by one, mostly resources: it may be divided over several policies. */
  readonly values: readonly string[];
  /** The statement for some of them. */
  readonly statementOf: (values: string[]) => PolicyStatement;
  readonly wildcard?: { readonly resource: string; readonly reason: string };
}

type Conditions = Readonly<Record<string, object>>;

export const allow = (actions: string[], values: string[], conditions: Conditions = {}): Grant => ({
  values,
  statementOf: (resources) => new PolicyStatement({ actions, resources, conditions }),
});

/** As docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html requires. */
export const JOIN_VPC: Grant = {
  ...allow(
    [
      'ec2:AssignPrivateIpAddresses',
      'ec2:CreateNetworkInterface',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:UnassignPrivateIpAddresses',
    ],
    ['*'],
  ),
  wildcard: {
    resource: '*',
    reason: 'Lambda requires its permissions for the network interfaces of a VPC on all resources.',
  },
};

const ENCRYPTION = ['kms:Decrypt', 'kms:GenerateDataKey'];
const CREATE = 'secretsmanager:CreateSecret';
/**
 * The tags that a function sets or takes off. Other tags of a secret are people's, and some give rights.
 * docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tagkeys
 */
const TAGS: Partial<Record<keyof typeof VERBS, string[]>> = {
  // Besides, what people want on the secrets that it creates.
  rotate: ['keyturn:owner', 'keyturn:cluster', 'keyturn:moved', 'keyturn:adopted'],
  revoke: ['keyturn:hold', 'keyturn:lifted', 'keyturn:ended'],
};

/** What each function may do. A method is one permission, and each role lists its own. */
export class Grants {
  readonly #scope: Construct;
  readonly #policy: Policy;
  readonly #prefix: string;
  readonly #secretTags: readonly string[];

  /** @param secretTags keys of the tags that people want on the secrets that are created */
  constructor(scope: Construct, policy: Policy, secretTags: readonly string[]) {
    this.#scope = scope;
    this.#policy = policy;
    this.#secretTags = secretTags;
    this.#prefix = secretPrefix(policy.owner);
  }

  /** The one secret that lets the functions in: the management token's, or the OAuth client's. */
  readManagementSecret(): Grant {
    return allow(
      ['secretsmanager:GetSecretValue'],
      [secretArn(this.#scope, managementSecret(this.#policy.cluster))],
    );
  }

  publishEvents(bus: string): Grant {
    return allow(['events:PutEvents'], [busArn(this.#scope, bus)]);
  }

  /** So that an answer can say that schedules are off, since when and by whom. */
  readSchedules(entries: readonly string[]): Grant {
    const arns = entries.map((entry) =>
      Stack.of(this.#scope).formatArn({
        service: 'scheduler',
        resource: 'schedule',
        resourceName: `default/${scheduleName(this.#policy.owner, entry)}`,
      }),
    );
    return allow(['scheduler:GetSchedule'], arns);
  }

  listSecrets(): Grant {
    return {
      ...allow(['secretsmanager:ListSecrets'], ['*']),
      wildcard: {
        resource: '*',
        reason: 'ListSecrets takes no resource. It shows names, labels and tags, and no value.',
      },
    };
  }

  changeSecrets(verbs: keyof typeof VERBS): Grant[] {
    const named = this.#entriesOutsidePrefix();
    const actions = VERBS[verbs].map((verb) => `secretsmanager:${verb}`);
    // A request without tags fulfils it, so that it may stand beside all other actions.
    const keys = [...(TAGS[verbs] ?? []), ...(verbs === 'rotate' ? this.#secretTags : [])];
    const conditions =
      keys.length > 0 ? { 'ForAllValues:StringEquals': { 'aws:TagKeys': keys } } : undefined;
    const withoutCreation = actions.filter((action) => action !== CREATE);
    // The secret of an adopted token exists already.
    const created = named.filter(({ adopt }) => !adopt && actions.includes(CREATE));
    const others = named.filter((entry) => !created.includes(entry));
    return [
      this.#onOwnSecrets(actions, conditions),
      this.#onNamed(actions, created, { conditions }),
      this.#onNamed(withoutCreation, others, { conditions }),
    ];
  }

  /**
   * If no secret has the name, IAM decides on the ARN without the six characters, before "not found":
   * github.com/aws-samples/dify-self-hosted-on-aws/pull/35 shows such a refusal.
   */
  askForMissingSecrets(): Grant {
    return this.#onNamed(['secretsmanager:DescribeSecret'], this.#entriesOutsidePrefix(), {
      suffix: '',
    });
  }

  /** Only under the prefix: a person deletes the secrets that the policy names itself. */
  deleteSecrets(): Grant {
    return this.#onOwnSecrets(['secretsmanager:DeleteSecret']);
  }

  /**
   * Under the prefix alone: of no other secret is it known who made it. An existing secret is never overwritten.
   * @returns none without Regions
   */
  replicateSecrets(regions: readonly ReplicaRegion[]): Grant[] {
    if (regions.length === 0) return [];
    const conditions = {
      'ForAllValues:StringEquals': {
        'secretsmanager:AddReplicaRegions': regions.map(({ region }) => region),
      },
      BoolIfExists: { 'secretsmanager:ForceOverwriteReplicaSecret': 'false' },
    };
    // The keys of replicas, where AWS's own is not wanted: secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
    const keys = regions.flatMap(({ region, encryptionKey }) =>
      encryptionKey === undefined ? [] : [{ region, key: keyNamedIn(encryptionKey) }],
    );
    return [
      this.#onOwnSecrets(['secretsmanager:ReplicateSecretToRegions'], conditions),
      ...keys.map(({ region, key }) =>
        this.#useKey(['kms:Encrypt', 'kms:GenerateDataKey'], key, {
          region,
          // AWS does not say which of the two asks for a replica.
          from: [Stack.of(this.#scope).region, region],
        }),
      ),
    ];
  }

  #entriesOutsidePrefix(): TokenPolicy[] {
    return this.#policy.tokens.filter(({ secret }) => !secret.startsWith(this.#prefix));
  }

  #onNamed(
    actions: string[],
    entries: readonly TokenPolicy[],
    {
      suffix,
      conditions,
    }: { readonly suffix?: string; readonly conditions?: Conditions | undefined },
  ): Grant {
    const names = entries.map(({ secret }) => secret).sort();
    return allow(
      actions,
      names.map((name) => secretArn(this.#scope, name, suffix)),
      conditions,
    );
  }

  #onOwnSecrets(actions: string[], conditions?: Conditions): Grant {
    const resource = secretArn(this.#scope, this.#prefix, '*');
    return {
      ...allow(actions, [resource], conditions),
      wildcard: {
        resource,
        reason: "The owner's prefix: a token is also retired after its entry has left the policy.",
      },
    };
  }

  /** The key of the secret with the management token, or with the OAuth client's secret, which is only read. */
  decryptWith(key: NamedKey): Grant {
    return this.#useKey(['kms:Decrypt'], key);
  }

  /** Without the hyphen and the six characters behind it. */
  replicaArn(secret: string, { region }: Pick<ReplicaRegion, 'region'>): string {
    return secretArn(this.#scope, secret, '', region);
  }

  /**
   * What a consumer needs to decrypt a secret: whatever key it is under, since one that is there keeps its key when the policy names
   * another. A key that is written out may be another account's.
   */
  decryptSecret(secret: string, key: NamedKey | undefined): Grant[] {
    return [
      ...this.#anywhere(key).map((each) => this.decryptWith(each)),
      this.#useAnyKeyFor([secretArn(this.#scope, secret)], { actions: ['kms:Decrypt'] }),
    ];
  }

  /** So for a replica, with keys of its Region. AWS does not say whether KMS is told the replica's ARN there, or its primary's. */
  decryptReplica(secret: string, { region, encryptionKeys }: ReplicaThere): Grant[] {
    const [actions, from] = [['kms:Decrypt'], [region]];
    const keys = encryptionKeys.map(keyNamedIn).flatMap((key) => this.#anywhere(key));
    const arns = [secretArn(this.#scope, secret), `${this.replicaArn(secret, { region })}-??????`];
    return [
      ...keys.map((each) => this.#useKey(actions, each, { region, from })),
      this.#useAnyKeyFor(arns, { actions, region, from }),
    ];
  }

  /** A key as each stack of the app may name it. None: to name one that the app makes, or a parameter knows, that stack would need this one. */
  #anywhere(key: NamedKey | undefined): NamedKey[] {
    if (!key) return [];
    const text = literalOf(Stack.of(this.#scope), keyId(key));
    if (text === undefined) return [];
    return ['alias' in key ? { ...key, alias: text } : { arn: text }];
  }

  /** The key of the secrets that Keyturn makes. */
  encryptWith(key: NamedKey): Grant {
    return this.#useKey(ENCRYPTION, key);
  }

  /**
   * A secret keeps the key that it was made with, also when the policy names another one, and what others have made is under the
   * key that those chose. So each may be used for the secrets of the policy.
   */
  useKeysOfSecrets(): Grant {
    const names = this.#entriesOutsidePrefix().map(({ secret }) => secretArn(this.#scope, secret));
    return this.#useAnyKeyFor([secretArn(this.#scope, this.#prefix, '*'), ...names.sort()]);
  }

  /**
   * Secrets Manager encrypts every new value for the replicas, too, and may do so with the rights of whoever puts it. A replica keeps
   * the key that it was made with, also when the policy names another one; that of a secret outside the prefix others made, wherever
   * and with whatever key they chose.
   * docs.aws.amazon.com/secretsmanager/latest/userguide/cross-account-replicate-permissions.html, which AWS says of other accounts alone
   * @param regions none: replicas that are there stay
   * @returns none where nobody says where replicas are
   */
  encryptReplicas(regions: readonly ReplicaRegion[] | undefined): Grant[] {
    if (regions === undefined) return [];
    // KMS may be told the replica's ARN or its primary's. A statement for each Region would not fit into a role.
    const everywhere = (name: string, suffix?: string) => secretArn(this.#scope, name, suffix, '*');
    const others = this.#entriesOutsidePrefix().map(({ secret }) => everywhere(secret));
    const resource = this.#anyKey(undefined, '*');
    const { urlSuffix } = Stack.of(this.#scope);
    return [
      {
        values: [everywhere(this.#prefix, '*'), ...others.sort()],
        statementOf: (some) =>
          new PolicyStatement({
            actions: ['kms:Encrypt', 'kms:GenerateDataKey'],
            resources: [resource],
            conditions: {
              StringLike: {
                'kms:ViaService': `secretsmanager.*.${urlSuffix}`,
                'kms:EncryptionContext:SecretARN': some,
              },
            },
          }),
        wildcard: {
          resource,
          reason:
            'Any key of the account in any Region, for the secrets that the condition names and no other.',
        },
      },
    ];
  }

  /**
   * Any key of the account for these secrets alone: Secrets Manager names the secret in every request to KMS.
   * docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html#security-encryption-encryption-context
   * @param place the Region of the keys, if it is not the stack's, and the Regions whose Secrets Manager uses them
   */
  #useAnyKeyFor(
    arns: readonly string[],
    {
      actions = ENCRYPTION,
      region,
      from,
    }: { readonly actions?: string[]; readonly region?: string; readonly from?: string[] } = {},
  ): Grant {
    const resource = this.#anyKey(undefined, region);
    return {
      values: arns,
      statementOf: (some) =>
        new PolicyStatement({
          actions,
          resources: [resource],
          conditions: {
            ...this.#viaSecretsManager(from),
            StringLike: { 'kms:EncryptionContext:SecretARN': some },
          },
        }),
      wildcard: {
        resource,
        reason: 'Any key of the account, for the secrets that the condition names and no other.',
      },
    };
  }

  /** Whose key a secret is under is looked at before it gets its first value, if others have made it. */
  readKeyPolicies(): Grant {
    const resource = this.#anyKey();
    return {
      ...allow(['kms:DescribeKey', 'kms:GetKeyPolicy'], [resource]),
      wildcard: {
        resource,
        reason:
          'The key of a secret that others made is theirs to choose. Its policy is no secret.',
      },
    };
  }

  #anyKey(account?: string, region?: string): string {
    const parts = {
      service: 'kms',
      resource: 'key',
      resourceName: '*',
      ...(account && { account }),
      ...(region && { region }),
    };
    return Stack.of(this.#scope).formatArn(parts);
  }

  /** Only Secrets Manager may use the key for the role: AWS KMS Developer Guide, kms:ViaService. */
  #viaSecretsManager(from: readonly string[] = [Stack.of(this.#scope).region]) {
    const { urlSuffix } = Stack.of(this.#scope);
    const [service, ...others] = from.map((region) => `secretsmanager.${region}.${urlSuffix}`);
    const services = others.length > 0 ? [service, ...others] : service;
    return { StringEquals: { 'kms:ViaService': services } };
  }

  /** @param replica the key's Region, if it is not the stack's, and the Regions whose Secrets Manager uses it */
  #useKey(
    actions: string[],
    key: NamedKey,
    { region, from }: { readonly region?: string; readonly from?: readonly string[] } = {},
  ): Grant {
    const via = this.#viaSecretsManager(from);
    if ('arn' in key) return allow(actions, [key.arn], via);
    const resource = this.#anyKey(key.account, region);
    const alias = { 'kms:ResourceAliases': key.alias };
    return {
      ...allow(actions, [resource], { ...via, 'ForAnyValue:StringEquals': alias }),
      wildcard: {
        resource,
        reason: 'A role cannot name a key by its alias; the condition allows this alias only.',
      },
    };
  }
}
