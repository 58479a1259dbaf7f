import type { RotateSecretRequest } from '@aws-sdk/client-secrets-manager';
import type { RevocationReport } from '../../functions/revocation/report.ts';
import type { Account } from '../../sandbox/aws/account.ts';
import type { Aws } from '../../sandbox/aws/server.ts';
import type { AwsState, PublishedEvent } from '../../sandbox/aws/state.ts';
import type { Cluster } from '../../sandbox/cluster/server.ts';
import type { ClusterState } from '../../sandbox/cluster/state.ts';
import type { IdentityProvider } from '../../sandbox/identity-provider/server.ts';
import type { Call, Interceptor, Reply } from '../../sandbox/interception.ts';
import type { VirtualClock } from '../../sandbox/virtual-clock.ts';
import type { Job } from './jobs.ts';
import type { Marker } from './marker.ts';
import type { LaterField } from './older-version.ts';
import type { People } from './people.ts';

/**
 * Keyturn on an embedded cluster and its AWS: everything that a test may do, and everything that is
 * true afterwards. The functions are those of the first policy; `deploy` adds others.
 */
export interface World extends Deployment {
  /** Another policy on the same two systems; by an older version, if a field is named that it does not know (in a simulated world). */
  deploy(policy: object, lacks?: LaterField): Deployment;
  readonly people: People;
  /** Runs somebody's program: its requests reach both systems, and in a simulated world its clock is the world's. */
  outside<T>(program: () => T): T;

  /** Time stands still while a test's own code runs; a function's own waiting moves it. */
  readonly clock: VirtualClock;
  /** The other Regions of its account. */
  readonly account: Account;
  wait(ms: number): Promise<void>;

  /** What consumers read: the whole text of a version, AWSCURRENT's by default. */
  value(secret: string, version?: string): string;
  /** The token string alone, in that text. */
  string(secret: string, version?: string): string;
  /** Whether the data plane takes a string now; to write to the world's first database by default. */
  accepts(string: string, action?: 'read' | 'write', database?: string): boolean;

  /** Stands between both servers and every call, in place of the one before; without one, nothing does. */
  intercept(interceptor?: Interceptor): void;
  /** Sees every call that takes effect, for as long as the world lives. */
  watch(watcher: Watcher): void;
  /** Which function makes a call; undefined: a person does, or the test. */
  origin(call: Call): { readonly job: Job; readonly policy: object } | undefined;
  /** Ends the process that makes a call. */
  kill(call: Call): Promise<void>;
  /** Freezes the process that makes a call for so long, in a simulated world: what falls due meanwhile happens to it afterwards. */
  freeze(call: Call, ms: number): void;
  /** Holds the process that makes a call, while something else runs from start to end. */
  beside(call: Call, run: () => Promise<unknown>): Promise<void>;
  /** Whoever was held does not wait for ever, and may end first: resolves when all that ran beside others is over. */
  untilAlone(): Promise<void>;

  /** Tokens that are not revoked; only those of one secret, if one is named. */
  tokens(secret?: string): SeenToken[];
  /** Version ids by staging label. */
  labels(secret: string): Readonly<Record<string, string>>;
  /**
   * Token ids by staging label: the token whose string the version holds, whatever ids it has, be it
   * revoked or anybody's. Absent: no token has that string.
   */
  holders(secret: string): Readonly<Record<string, string>>;
  tags(secret: string): Readonly<Record<string, string>>;
  /** The tag that forbids schedules to touch it. */
  hold(secret: string): string | undefined;
  /** What Keyturn published, oldest first; only one type, if one is named. */
  events(type?: string): readonly PublishedEvent[];
  /** Both servers, for their state and settings that have no word here. */
  readonly cluster: Cluster;
  readonly aws: Aws;
  /** Of a world that was opened with one. */
  readonly identityProvider: IdentityProvider | undefined;

  save(): Saved;
  /** The same state, later: time cannot go back in processes that stay warm. Returns by how much. */
  restore(saved: Saved): Promise<number>;
  close(): Promise<void>;
}

/** Keyturn's functions with one policy, each in a process of its own, by the bundles that are deployed. */
export interface Deployment {
  /** As deployed: with the world's cluster, where the test named none. */
  readonly policy: object;
  rotate(event?: object): Promise<Answered>;
  reap(event?: object): Promise<Answered>;
  enforce(event?: object): Promise<Answered>;
  revoke(event: object): Promise<Answered<RevocationReport>>;
  /** Any of the functions, by its name. */
  invoke(job: Job, event?: object): Promise<Answered>;
  /** Secrets Manager's RotateSecret: its four steps invoke this deployment's function. */
  rotateSecret(secret: string, more?: Partial<RotateSecretRequest>): Promise<void>;
  /** What its functions logged, oldest first, from the line of that number on. */
  lines(from?: number): readonly string[];
  /** Those lines, which are forgotten: a long life has millions. */
  takeLines(): readonly string[];
  /** What CloudWatch would make of those lines: `Owner=prod OwnedTokens` and its value. */
  metrics(): readonly Readonly<Record<string, unknown>>[];
}

// biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of a result
export interface Answered<Result = any> {
  readonly result?: Result;
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
}

/** Causes the effect, once, and may look at the world before and after it. */
export type Watcher = (call: Call, effect: () => Reply) => Reply;

export interface SeenToken {
  readonly id: string;
  /** What stands before the marker. */
  readonly text: string;
  readonly marker: Marker | undefined;
  readonly permissions: readonly unknown[];
}

/** Both systems at one instant, and how far their reads lag. */
export interface Saved {
  readonly at: number;
  readonly cluster: ClusterState;
  readonly aws: AwsState;
  readonly lags: Pick<Aws, 'readLagMs' | 'listLagMs'>;
}
