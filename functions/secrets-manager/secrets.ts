import type { TokenValue } from '../token-value.ts';
import type { Replica, Secret } from './secret.ts';

/** What Keyturn asks Secrets Manager for. All calls reject with the SDK's errors, which name the call, or with a `TimeoutError` or `ForeignAnswerError`. */
export interface Secrets {
  /**
   * Every secret tagged with this owner, also those scheduled for deletion. `ListSecrets` may miss the
   * changes of the last five minutes.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
   */
  list(owner: string): Promise<Secret[]>;
  /** Undefined: no secret has this name or ARN. */
  describe(name: string): Promise<Secret | undefined>;
  /**
   * When each version was made, in milliseconds since 1970, by version id; also of versions without a label.
   * Secrets Manager removes those after a day. Empty: no secret has this name.
   * Rejects with UnreadableSecretError if Secrets Manager refuses it for this secret.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html
   */
  versionTimes(name: string): Promise<ReadonlyMap<string, number>>;
  /**
   * The resource policy as JSON. Undefined: it has none. Rejects with UnreadableSecretError if Secrets Manager refuses
   * to show it.
   */
  resourcePolicy(name: string): Promise<string | undefined>;
  /** The string of a version, or of AWSCURRENT. Undefined: there is no such secret, version or value. */
  value(name: string, version?: string): Promise<TokenValue | undefined>;
  /** Creates a secret without a version. Rejects if the name is taken. */
  create(name: string, options: NewSecret): Promise<Secret>;
  /**
   * Puts a version whose id is the ClientRequestToken, 32 to 64 characters. A repetition with the same
   * value does nothing; with another value `PutSecretValue` refuses it.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
   */
  put(name: string, version: string, value: TokenValue, label: string): Promise<void>;
  /**
   * Compare-and-set of a label: fails unless the label is on `from` (undefined: on no version). Without
   * `to` the label is only taken off. Never repeated, because a move that was made already fails.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
   */
  moveLabel(name: string, label: string, move: { to?: string; from?: string }): Promise<void>;
  /**
   * Begins to replicate a secret to more Regions, or tries again where that failed, and resolves to all of its replicas.
   * A secret that has its name there already is never overwritten: the replica becomes `Failed`.
   * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
   */
  replicate(name: string, regions: readonly NewReplica[]): Promise<readonly Replica[]>;
  tag(name: string, tags: Readonly<Record<string, string>>): Promise<void>;
  untag(name: string, keys: readonly string[]): Promise<void>;
  /** Schedules the deletion, with the longest recovery window: 30 days (`DeleteSecret`). */
  delete(name: string): Promise<void>;
  /** Cuts the connections that are open; the next call makes new ones. */
  disconnect(): void;
}

/** A policy as JSON, or why nobody shows it. */
export type ShownPolicy = { readonly policy: string } | { readonly refusal: string };

/** Reads the policy of a KMS key, named by ARN, id or alias. Rejects if KMS is out of order, or the network. */
export type ReadKeyPolicy = (key: string) => Promise<ShownPolicy>;

/** Secrets Manager refuses to show one secret; that says nothing about any other one. */
export class UnreadableSecretError extends Error {
  override readonly name = 'UnreadableSecretError';
}

/** A version has bytes in place of a string. */
export class BinaryValueError extends Error {
  override readonly name = 'BinaryValueError';
}

/** A version that must have a value has none: what is not shown is not empty. */
export class NoValueError extends Error {
  override readonly name = 'NoValueError';
}

export interface NewReplica {
  /** `eu-central-1` */
  readonly region: string;
  /** KMS key ARN or alias, of that Region; absent: the account's default key there. */
  readonly encryptionKey?: string | undefined;
}

export interface NewSecret {
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  /** KMS key ARN or alias; absent: the account's default key. */
  readonly encryptionKey?: string | undefined;
  /** Other Regions that get a replica; absent: none. */
  readonly replicaRegions?: readonly NewReplica[] | undefined;
}
