import type { Schedule } from './schedules.ts';

/** One immutable value; its id is the ClientRequestToken that made it. */
export interface SecretVersion {
  readonly id: string;
  /** With neither string nor binary it is a placeholder, made by RotateSecret and not filled yet. */
  readonly secretString: string | undefined;
  /** Base64. */
  readonly secretBinary: string | undefined;
  /** Staging labels, sorted. Empty: deprecated, but readable by id until it is removed. */
  readonly stages: readonly string[];
  readonly createdAt: number;
  readonly accessedAt: number | undefined;
}

export type Versions = Readonly<Record<string, SecretVersion>>;

export interface RotationRules {
  readonly AutomaticallyAfterDays?: number | undefined;
  readonly Duration?: string | undefined;
  readonly ScheduleExpression?: string | undefined;
}

export interface Rotation {
  readonly enabled: boolean;
  readonly lambdaArn: string;
  readonly rules: RotationRules;
  /** The version of the running rotation. */
  readonly rotatingTo: string | undefined;
  /** Why the last rotation failed, if it did. */
  readonly failure: string | undefined;
  readonly rotatedAt: number | undefined;
  readonly nextAt: number | undefined;
}

/** What a primary secret knows of its copy in another Region. */
export interface Replica {
  readonly kmsKeyId: string | undefined;
  /** Why there is no copy, if there is none. */
  readonly failure: string | undefined;
}

/** Instants are milliseconds since 1970. */
export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly kmsKeyId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Whether it ever had a tag. */
  readonly wasTagged: boolean;
  readonly versions: Versions;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly accessedAt: number | undefined;
  /** When DeleteSecret was called. */
  readonly deletedAt: number | undefined;
  /** When the recovery window ends and the secret no longer exists. */
  readonly deletionAt: number | undefined;
  readonly resourcePolicy: string | undefined;
  readonly rotation: Rotation | undefined;
  /** Of a secret with replicas, and of each replica. */
  readonly primaryRegion: string | undefined;
  /** By Region. */
  readonly replicas: Readonly<Record<string, Replica>>;
}

/** The state of a secret from `at` on; `undefined` if it no longer existed. */
export interface PastSecret {
  readonly at: number;
  readonly secret: Secret | undefined;
}

export interface PublishedEvent {
  readonly id: string;
  readonly bus: string;
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
  readonly resources: readonly string[];
  /** The entry's `Time`, or the instant of its arrival. */
  readonly time: number;
}

/** A KMS key, as far as it is shown: it encrypts nothing here. */
export interface Key {
  readonly id: string;
  readonly arn: string;
  readonly policy: string;
}

/** All state of the server, as plain data that `structuredClone` can copy. */
export interface AwsState {
  readonly secrets: Readonly<Record<string, Secret>>;
  /** By name, oldest first; lagging reads use it. */
  readonly history: Readonly<Record<string, readonly PastSecret[]>>;
  readonly eventBuses: readonly string[];
  readonly events: readonly PublishedEvent[];
  /** KMS's keys by id, and the ids of those that bear an alias. */
  readonly keys: Readonly<Record<string, Key>>;
  readonly aliases: Readonly<Record<string, string>>;
  /** By `group/name`. */
  readonly schedules: Readonly<Record<string, Schedule>>;
  /** Requests that arrived, by operation. */
  readonly calls: Readonly<Record<string, number>>;
  /** Applied requests of the kind that AWS limits to 50 per second in an account and Region. */
  readonly writes: Readonly<Record<string, number>>;
  /** The number of ids made so far: ids must differ from each other and be the same in every run. */
  readonly drawn: number;
}

export const emptyState: AwsState = {
  secrets: {},
  history: {},
  eventBuses: ['default'],
  events: [],
  keys: {},
  aliases: {},
  schedules: {},
  calls: {},
  writes: {},
  drawn: 0,
};
