import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../functions/environment.ts';
import { Alarms } from './alarms.ts';
import { addDashboard } from './dashboard.ts';
import { type Grant, Grants } from './grants.ts';
import { KeyturnFunction, type NetworkProps } from './keyturn-function.ts';
import { KeyturnSchedule } from './keyturn-schedule.ts';
import { type PolicyFile, readPolicyFile } from './policy-file.ts';

export interface KeyturnProps extends NetworkProps {
  /** Path of the policy file, which describes one cluster. */
  readonly policy: string;
  /** Key for the secrets that Keyturn creates; outranks the policy's `encryptionKey`. */
  readonly encryptionKey?: IKey;
  /** Key of the management token's secret, if that has one of its own. */
  readonly managementTokenKey?: IKey;
  /** Told of every alarm; absent: alarms only change their state. */
  readonly alarmTopic?: ITopic;
  readonly logRetention?: RetentionDays;
  /** At most so many runs of a function at once; refused by accounts whose quota is small. */
  readonly reservedConcurrentExecutions?: number;
}

interface FunctionOptions {
  readonly entry: string;
  readonly description: string;
  readonly grants: readonly Grant[];
  /** Absent: only ever invoked by a person. */
  readonly schedule?: string;
}

/** Rotates and retires the tokens of one InfluxDB cluster and governs its databases, as its policy file says. */
export class Keyturn extends Construct {
  readonly policyFile: PolicyFile;
  /** What could not be delivered, or failed after its retries. */
  readonly failures: Queue;
  readonly rotate: KeyturnFunction;
  readonly reap: KeyturnFunction;
  readonly enforce: KeyturnFunction;
  /** Only ever invoked by a person. */
  readonly revoke: KeyturnFunction;
  /** Invoked by Secrets Manager for secrets whose rotation somebody set up with it. */
  readonly secretsManagerRotation: KeyturnFunction;
  /** By construct id. */
  readonly functions: Record<string, KeyturnFunction> = {};
  readonly #props: KeyturnProps;
  readonly #alarms: Alarms;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: KeyturnProps) {
    super(scope, id);
    this.#props = props;
    this.policyFile = readPolicyFile(props.policy);
    const { policy } = this.policyFile;
    const { eventBus = 'default', schedules } = policy;
    const encryptionKey = props.encryptionKey?.keyArn ?? policy.encryptionKey;
    this.#environment = {
      [ENVIRONMENT.eventBus]: eventBus,
      [ENVIRONMENT.policyFile]: policy.file,
      ...(encryptionKey !== undefined && { [ENVIRONMENT.encryptionKey]: encryptionKey }),
    };
    this.failures = this.#failureQueue();
    this.#alarms = new Alarms(policy.owner, props.alarmTopic);
    this.#alarms.watchFailures(this, this.failures);

    const grants = new Grants(this, policy);
    const { managementTokenKey } = props;
    const common = [
      grants.readManagementToken(),
      ...(managementTokenKey ? [grants.decrypt(managementTokenKey.keyArn)] : []),
      grants.publishEvents(eventBus),
    ];
    const encryption = encryptionKey === undefined ? [] : [grants.useEncryptionKey(encryptionKey)];
    this.rotate = this.#add('Rotate', {
      entry: 'rotate',
      description: 'Mints, stores, proves and promotes tokens that are due',
      schedule: schedules.rotate,
      grants: [
        ...common,
        grants.listSecrets(),
        ...grants.changeSecrets('rotate'),
        ...grants.askForMissingSecrets(),
        ...encryption,
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
      description: 'Holds databases to their retention and limits',
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
        ...grants.askForMissingSecrets(),
        ...encryption,
      ],
    });
    this.secretsManagerRotation = this.#add('SecretsManagerRotation', {
      entry: 'secrets-manager-rotation',
      description: 'Rotates a secret when Secrets Manager is asked to',
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
    this.#alarms.watchMeasures(this);
    addDashboard(this, {
      owner: policy.owner,
      alarms: this.#alarms.all,
      functions: Object.fromEntries(
        Object.entries(this.functions).map(([name, { lambda }]) => [name.toLowerCase(), lambda]),
      ),
    });
  }

  #failureQueue(): Queue {
    const queue = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(queue).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'This queue is itself where failures end; a person reads it.',
    });
    return queue;
  }

  #add(id: string, { entry, description, grants, schedule }: FunctionOptions): KeyturnFunction {
    const { policyFile, failures } = this;
    const { owner, schedules, timeZone } = policyFile.policy;
    const added = new KeyturnFunction(this, id, {
      ...this.#props,
      entry,
      description: `Keyturn (${owner}): ${description}`,
      policyFile,
      environment: this.#environment,
      grants,
      logRetention: this.#props.logRetention ?? RetentionDays.THREE_MONTHS,
      failures,
    });
    this.functions[id] = added;
    if (schedule !== undefined) {
      new KeyturnSchedule(added, 'Schedule', {
        target: added.lambda,
        expression: schedule,
        timeZone,
        paused: schedules.paused,
        description: `Keyturn (${owner}): ${entry}`,
        failures,
      });
      this.#alarms.watchSchedule(added, added.lambda, schedule, schedules.paused);
    }
    return added;
  }
}
