import { createHash } from 'node:crypto';
import { Annotations, type CfnResource, Duration, Stack, Tags, Validations } from 'aws-cdk-lib';
import { type Alarm, type Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import {
  type Grant as IamGrant,
  type IGrantable,
  type IManagedPolicy,
  ManagedPolicy,
  PermissionsBoundary,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import {
  ENVIRONMENT,
  functionName,
  isMetric,
  METRICS,
  SCHEDULED,
  scheduleName,
} from '../functions/environment.ts';
import type { ReplicaRegion } from '../functions/policy/policy.ts';
import { type EventChoice, eventPattern, secretOf } from './access.ts';
import { Alarms } from './alarms.ts';
import { addDashboard } from './dashboard.ts';
import {
  DEFAULT_MEMORY,
  DEFAULT_RETENTION,
  deploymentHashes,
  type MetricsWanted,
  replicaRegionsIn,
} from './deployment.ts';
import { warnOfUnknownRegions } from './elsewhere.ts';
import { refuseLargeEnvironment } from './environment-size.ts';
import { inTemplate } from './full-policy.ts';
import { type Grant, Grants } from './grants.ts';
import { refuse, warnOf } from './judgement.ts';
import { keyAsWritten } from './key-names.ts';
import { type FunctionSettings, KeyturnFunction, logGroupName } from './keyturn-function.ts';
import { KeyturnSchedule } from './keyturn-schedule.ts';
import { borneBy, keyId, keyNamedBy, keyNamedIn, letLogsUse, type NamedKey } from './kms-key.ts';
import { type Measure, measured } from './measured.ts';
import { refuseNeighbours } from './neighbours.ts';
import { type Network, networkOf } from './network.ts';
import { ALARMS, areToTell, NOBODY } from './nobody-told.ts';
import { type PolicyFile, readPolicyFile } from './policy-file.ts';
import { type KeyturnProps, refuseWithoutPolicy } from './properties.ts';
import { type Recipients, recipientsOf } from './recipients.ts';
import { Rights } from './rights.ts';
import { firingsOf, latestInSeconds } from './schedule/gaps.ts';
import { isStandIn } from './stand-ins.ts';
import { refuseLargeTemplate } from './template-size.ts';

/** The app's key, or the policy file's. */
function keyOf(given: IKey | undefined, named: string | undefined): NamedKey | undefined {
  if (given) return keyNamedBy(given);
  return named === undefined ? undefined : keyNamedIn(named);
}

/** `developers`, `arn:aws:iam::111122223333:policy/developers`. */
const managedPolicy = (scope: Construct, written: string): IManagedPolicy =>
  written.startsWith('arn:')
    ? ManagedPolicy.fromManagedPolicyArn(scope, 'PermissionsBoundary', written)
    : ManagedPolicy.fromManagedPolicyName(scope, 'PermissionsBoundary', written);

/** As CDK has it, which counts in days. */
function retentionOf(written: number | 'forever'): RetentionDays {
  return written === 'forever' ? RetentionDays.INFINITE : Duration.millis(written).toDays();
}

/** What `rotate` is told of the secrets that it creates. */
const toldOfSecrets = (
  tags: Readonly<Record<string, string>>,
  replicaRegions: readonly ReplicaRegion[] | undefined,
): Readonly<Record<string, string>> => ({
  ...(Object.keys(tags).length > 0 && { [ENVIRONMENT.secretTags]: JSON.stringify(tags) }),
  ...(replicaRegions && { [ENVIRONMENT.replicaRegions]: JSON.stringify(replicaRegions) }),
});

interface FunctionOptions {
  readonly entry: string;
  readonly description: string;
  readonly grants: readonly Grant[];
  /** Absent: only a person invokes it. */
  readonly schedule?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Rotates and retires the tokens of one InfluxDB cluster and manages its databases, as its policy
 * file says.
 */
export class Keyturn extends Construct {
  readonly policyFile: PolicyFile;
  /** What a schedule could not deliver. Its events are constants, so nothing that anybody wrote comes here. */
  readonly failures: Queue;
  readonly rotate: KeyturnFunction;
  readonly reap: KeyturnFunction;
  readonly enforce: KeyturnFunction;
  /** Only a person invokes it. */
  readonly revoke: KeyturnFunction;
  /** Secrets Manager invokes it for secrets that have their rotation set up with it. */
  readonly secretsManagerRotation: KeyturnFunction;
  /** By construct id. */
  readonly functions: Record<string, KeyturnFunction> = {};
  /** Absent: the functions are in no VPC. */
  readonly network: Network | undefined;
  /** Whom alarms tell. */
  readonly recipients: Recipients;
  readonly #settings: FunctionSettings;
  readonly #alarms: Alarms;
  readonly #metrics: MetricsWanted;
  readonly #schedules: KeyturnSchedule[] = [];
  readonly #grants: Grants;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #rights: Rights;

  constructor(scope: Construct, id: string, props: KeyturnProps) {
    super(scope, id);
    refuseWithoutPolicy(props);
    this.policyFile = readPolicyFile(props.policy);
    const { file, policy, deployment } = this.policyFile;
    const { eventBus = 'default', schedules } = policy;
    refuse(this, this.policyFile, props);
    const all = this.node.root.node.findAll().filter((each) => each instanceof Keyturn);
    refuseNeighbours(
      this,
      all.filter((each) => each !== this),
    );
    this.network = networkOf(this, props, deployment.vpc, file);
    this.#settings = this.#settingsOf(props);
    const tags: Readonly<Record<string, string>> = { ...deployment.tags, ...props.tags };
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    const boundary =
      props.boundary ??
      (deployment.permissionsBoundary && managedPolicy(this, deployment.permissionsBoundary));
    if (boundary) PermissionsBoundary.of(this).apply(boundary);
    const encryptionKey = keyOf(props.encryptionKey, policy.encryptionKey);
    const managementTokenKey = keyOf(props.managementTokenKey, policy.cluster.managementTokenKey);
    const metrics = props.metrics ?? deployment.metrics;
    this.#environment = {
      [ENVIRONMENT.eventBus]: eventBus,
      [ENVIRONMENT.policyFile]: policy.file,
      ...(metrics !== 'full' && { [ENVIRONMENT.metrics]: metrics }),
      ...(encryptionKey && { [ENVIRONMENT.encryptionKey]: keyId(encryptionKey) }),
    };
    warnOf(this, this.policyFile);
    this.failures = this.#failureQueue();
    this.recipients = recipientsOf(this, props, deployment.alarms, policy.owner);
    this.#metrics = metrics;
    this.#alarms = new Alarms(policy.owner, this.recipients, metrics);
    this.#alarms.watchDelivery(this, this.failures);
    this.#warnIfNobodyIsTold();

    const replicaRegions = props.replicaRegions
      ? replicaRegionsIn(props.replicaRegions).map((each, index) => {
          const place = `replicaRegions[${index}].encryptionKey`;
          return each.encryptionKey === undefined
            ? { region: each.region }
            : { region: each.region, encryptionKey: keyAsWritten(this, each, place) };
        })
      : policy.replicaRegions;
    const regions = replicaRegions ?? [];
    warnOfUnknownRegions(this, regions);
    const grants = new Grants(this, policy, Object.keys(tags));
    this.#grants = grants;
    this.#rights = new Rights(this, {
      policyFile: this.policyFile,
      props,
      grants,
      encryptionKey,
      replicaRegions: regions,
    });
    const common = [
      grants.readManagementSecret(),
      ...(managementTokenKey ? [grants.decryptWith(managementTokenKey)] : []),
      grants.publishEvents(eventBus),
    ];
    const encryption = [
      ...(encryptionKey ? [grants.encryptWith(encryptionKey)] : []),
      grants.useKeysOfSecrets(),
      ...grants.encryptReplicas(replicaRegions),
      grants.readKeyPolicies(),
    ];
    this.rotate = this.#add('Rotate', {
      entry: 'rotate',
      description:
        'Rotates tokens that are due: mints, stores, verifies and promotes their successors',
      schedule: schedules.rotate,
      environment: {
        ...toldOfSecrets(tags, replicaRegions),
        [ENVIRONMENT.deployment]: JSON.stringify(deploymentHashes(deployment)),
      },
      grants: [
        ...common,
        grants.listSecrets(),
        ...grants.changeSecrets('rotate'),
        grants.askForMissingSecrets(),
        ...encryption,
        ...grants.replicateSecrets(regions),
      ],
    });
    this.reap = this.#add('Reap', {
      entry: 'reap',
      description: 'Retires and deletes superseded, expired and orphaned tokens',
      schedule: schedules.reap,
      grants: [
        ...common,
        grants.listSecrets(),
        ...grants.changeSecrets('reap'),
        grants.deleteSecrets(),
      ],
    });
    this.enforce = this.#add('Enforce', {
      entry: 'enforce',
      description: 'Corrects retention and limits of databases',
      schedule: schedules.enforce,
      grants: common,
    });
    this.revoke = this.#add('Revoke', {
      entry: 'revoke',
      description: "Freezes, replaces or deletes tokens on a person's order",
      grants: [
        ...common,
        grants.listSecrets(),
        ...grants.changeSecrets('revoke'),
        grants.askForMissingSecrets(),
        ...encryption,
        grants.readSchedules(SCHEDULED),
      ],
    });
    this.secretsManagerRotation = this.#add('SecretsManagerRotation', {
      entry: 'secrets-manager-rotation',
      description: 'Rotates a secret when Secrets Manager asks for it',
      grants: [
        ...common,
        grants.listSecrets(),
        ...grants.changeSecrets('secrets-manager-rotation'),
        ...encryption,
      ],
    });
    this.secretsManagerRotation.lambda.addPermission('SecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: Stack.of(this).account,
    });
    this.#showPolicy();
    // An identity provider's token lives for minutes, and its end is nobody's concern.
    const hasStoredToken = policy.cluster.oauth === undefined;
    this.#alarms.watchMeasures(this, hasStoredToken);
    if (!(props.dashboard ?? deployment.dashboard)) return;
    addDashboard(this, {
      owner: policy.owner,
      metrics,
      hasStoredToken,
      alarms: this.#alarms.all,
      functions: Object.fromEntries(
        Object.entries(this.functions).map(([name, { lambda }]) => [name.toLowerCase(), lambda]),
      ),
    });
  }

  /** Judged when all is made: an app may give actions to alarms, by aspects too. */
  #warnIfNobodyIsTold(): void {
    const { file, deployment } = this.policyFile;
    if (!areToTell({ ...deployment, metrics: this.#metrics })) return;
    const validate = () => {
      if (!this.#alarms.haveActions) {
        const sentence = `${file}: ${ALARMS}: ${NOBODY}; or acknowledge this warning`;
        Annotations.of(this).addWarningV2(`keyturn:${ALARMS}`, sentence);
      }
      return [];
    };
    this.node.addValidation({ validate });
  }

  /** Of a changed policy, `cdk diff` would show the hashes of five assets and nothing else. */
  #showPolicy(): void {
    const { document, policy, ca } = this.policyFile;
    const { defaultChild } = this.rotate.lambda.node;
    const rotate = defaultChild as CfnResource;
    const full = inTemplate(document);
    rotate.addMetadata('policy', full);
    refuseLargeTemplate(this, this.policyFile, full);
    if (ca === undefined) return;
    const sha256 = createHash('sha256').update(ca).digest('hex');
    rotate.addMetadata('cluster.ca', { file: policy.cluster.ca, sha256 });
  }

  /** What the app says, and else the policy file. */
  #settingsOf(props: KeyturnProps): FunctionSettings {
    const { policy, deployment } = this.policyFile;
    const { logs, memory, reservedConcurrency } = deployment;
    const logKey = props.logKey && borneBy(props.logKey);
    if (logKey) letLogsUse(this, logKey, logGroupName(functionName(policy.owner, '*')));
    return {
      network: this.network,
      logRetention: props.logRetention ?? retentionOf(logs?.retention ?? DEFAULT_RETENTION),
      logKey: logKey ?? (logs?.key ? Key.fromKeyArn(this, 'LogKey', logs.key) : undefined),
      memorySize: props.memorySize ?? memory ?? DEFAULT_MEMORY,
      reservedConcurrentExecutions: props.reservedConcurrentExecutions ?? reservedConcurrency,
    };
  }

  /**
   * What the runs measure, for alarms and dashboards of your own. By default the greatest value of an hour.
   * @example keyturn.metric('runwayDays', { statistic: Stats.MINIMUM })
   * @throws Error if the policy or the app wants no such metric
   */
  metric(measure: Measure, options: MetricOptions = {}): Metric {
    const { file, policy } = this.policyFile;
    const wanted = this.#metrics;
    const found = Object.hasOwn(METRICS, measure) ? METRICS[measure] : undefined;
    if (found && (isMetric(wanted, found.name) || isStandIn(this, wanted))) {
      return measured(policy.owner, measure, {
        statistic: Stats.MAXIMUM,
        period: Duration.hours(1),
        ...options,
      });
    }
    const names = Object.keys(METRICS).filter((name) =>
      isMetric(wanted, METRICS[name as Measure].name),
    );
    const expected = names.length > 0 ? `one of ${names.join(', ')}` : 'no metric to be asked for';
    const having = found ? ['alarms', 'full'].filter((each) => isMetric(each, found.name)) : [];
    throw new Error(
      `Keyturn's metric: found "${String(measure)}", expected ${expected}, with metrics: ${wanted} (${file}, or the property)${having.length > 0 ? `; write metrics: ${having.join(' or ')}` : ''}`,
    );
  }

  /**
   * The pattern of a rule that looks at events of this deployment, on the bus of the policy.
   * @example new Rule(stack, 'Rotated', { eventPattern: keyturn.eventPattern({ token: 'telegraf', types: ['Token Rotated'] }) })
   * @throws Error if the policy has no such token, no event such a type, none of a type names a token's secret and `token` is given, or the choice has another key
   */
  eventPattern(choice: EventChoice = {}): EventPattern {
    return eventPattern(this.policyFile, choice);
  }

  /** All alarms of this cluster, to give them actions of your own. */
  get alarms(): readonly Alarm[] {
    return this.#alarms.all;
  }

  /**
   * The secret that consumers of a token read. `rotate` makes it, so at the first deployment it is not there yet.
   * @param token its name in the policy
   * @throws Error if the policy has no such token
   */
  secretOf(token: string): ISecret {
    return secretOf(this, this.policyFile, token);
  }

  /**
   * Lets a consumer read a token's secret; one whose stack is in a Region of `replicaRegions`, the replica there. It may use any key of
   * the account for that secret alone, through Secrets Manager; the key's own policy must let it.
   * @returns CDK's grant; `assertSuccess()` throws if nothing was given, as to a service, which has no policy of its own, or if it is not
   * enough, as for a role of another account
   * @throws Error if the policy has no such token, or the consumer's stack is in a Region without a replica
   */
  grantRead(token: string, grantee: IGrantable): IamGrant {
    return this.#rights.read(token, this.secretOf(token), grantee);
  }

  /**
   * Lets somebody give orders to `revoke`, for any token of the cluster: who watches for leaks, for instance.
   * @returns CDK's grant; `assertSuccess()` throws for a role of another account, which needs a right there as well
   */
  grantRevoke(grantee: IGrantable): IamGrant {
    return this.#rights.revoke(grantee);
  }

  /**
   * Lets a person use all of the command line, but `--local`: every function, and the schedules, to pause them. What `doctor` asks AWS
   * itself is not among it; it says unknown of that, and names the rights (docs/operations.md).
   * @returns CDK's grant; `assertSuccess()` throws if a part of it was not given, as to a role of another account
   */
  grantOperate(grantee: IGrantable): IamGrant {
    return this.#rights.operate(grantee, this.#schedules);
  }

  #failureQueue(): Queue {
    const queue = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // The longest that SQS offers (Amazon SQS message quotas).
      retentionPeriod: Duration.days(14),
    });
    Validations.of(queue).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'This queue is the dead-letter queue; a person reads it.',
    });
    return queue;
  }

  #add(
    id: string,
    { entry, description, grants, schedule, environment }: FunctionOptions,
  ): KeyturnFunction {
    const { policyFile, failures } = this;
    const { owner, schedules, timeZone } = policyFile.policy;
    const variables = {
      ...this.#environment,
      ...environment,
      ...(entry === 'rotate' &&
        schedule !== undefined && {
          [ENVIRONMENT.nextRunSeconds]: String(latestInSeconds(schedule, timeZone)),
          // A person's run must find the same as the schedule's, whose event says this.
          [ENVIRONMENT.thirdRunSeconds]: String(firingsOf(schedule, timeZone).thirdInSeconds),
        }),
    };
    refuseLargeEnvironment(entry, variables, policyFile.file);
    const added = new KeyturnFunction(this, id, {
      ...this.#settings,
      entry,
      description: `Keyturn (${owner}): ${description}`,
      policyFile,
      environment: variables,
      grants: schedule === undefined ? grants : [...grants, this.#grants.readSchedules([entry])],
      // A retry would run beside the next firing, which looks at everything anew.
      retryAttempts: schedule === undefined ? 1 : 0,
    });
    this.functions[id] = added;
    if (schedule === undefined) this.#alarms.watchOrders(added, added.lambda);
    else {
      const made = new KeyturnSchedule(added, 'Schedule', {
        name: scheduleName(owner, entry),
        target: added.lambda,
        expression: schedule,
        timeZone,
        paused: schedules.paused,
        description: `Keyturn (${owner}): ${entry}`,
        failures,
      });
      this.#schedules.push(made);
      this.#alarms.watchSchedule(added, {
        job: entry,
        target: added.lambda,
        expression: schedule,
        timeZone,
        paused: schedules.paused,
      });
    }
    return added;
  }
}
