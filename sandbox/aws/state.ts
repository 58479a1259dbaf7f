/** One immutable value; its id is the ClientRequestToken that made it. */
export interface SecretVersion {
  readonly id: string;
  /** Neither a string nor a binary: a placeholder that RotateSecret made and nobody has filled. */
  readonly secretString: string | undefined;
  /** Base64. */
  readonly secretBinary: string | undefined;
  /** Staging labels, sorted. Empty: deprecated, yet readable by id until reaped. */
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
  /** The version of the rotation under way. */
  readonly rotatingTo: string | undefined;
  /** Why the last rotation failed, if it did. */
  readonly failure: string | undefined;
  readonly rotatedAt: number | undefined;
  readonly nextAt: number | undefined;
}

/** Instants are milliseconds since 1970. */
export interface Secret {
  readonly name: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly kmsKeyId: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly versions: Versions;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly accessedAt: number | undefined;
  /** When DeleteSecret was called. */
  readonly deletedAt: number | undefined;
  /** When the recovery window ends and the secret ceases to exist. */
  readonly deletionAt: number | undefined;
  readonly resourcePolicy: string | undefined;
  readonly rotation: Rotation | undefined;
}

/** What a secret was from `at` on; `undefined` where it had ceased to exist. */
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
  /** The entry's own `Time`, or the instant it was received. */
  readonly time: number;
}

/** Everything the server knows, as plain data that survives `structuredClone`. */
export interface AwsState {
  readonly secrets: Readonly<Record<string, Secret>>;
  /** By name, oldest first: what lagging reads answer from. */
  readonly history: Readonly<Record<string, readonly PastSecret[]>>;
  readonly eventBuses: readonly string[];
  readonly events: readonly PublishedEvent[];
  /** Requests that arrived, by operation. */
  readonly calls: Readonly<Record<string, number>>;
  /** Requests carried out of the bucket that AWS limits to 50/s for a whole account and Region. */
  readonly writes: Readonly<Record<string, number>>;
  /** How many ids were drawn: they must differ from each other and be the same in every run. */
  readonly drawn: number;
}

export const emptyState: AwsState = {
  secrets: {},
  history: {},
  eventBuses: ['default'],
  events: [],
  calls: {},
  writes: {},
  drawn: 0,
};
