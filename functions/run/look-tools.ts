import type { Answer, Request } from '../management-api/exchange.ts';
import type { Policy } from '../policy/policy.ts';
import type { Timing } from '../retry.ts';
import type { ManagementToken } from '../secrets-manager/management-token.ts';
import type { Secrets } from '../secrets-manager/secrets.ts';
import type { Log } from './tools.ts';

/** One of the cluster's two addresses, which may be the same. */
export type Address = 'managementApi' | 'dataPlane';

/** `by`: a person gave it, its secret has it, or an identity provider gave it to the client whose secret was read. */
export type FoundManagementToken = ManagementToken & {
  readonly by: 'hand' | 'secret' | 'identity provider';
  /** What it says of itself, where the cluster refuses it, and what to do. Absent: it says nothing. */
  readonly refused?: () => { readonly found: string; readonly advice: string } | undefined;
};

/**
 * The tools of an examination, made by `runtime.ts`. They only read, write no metric, and are there although the
 * management token cannot be read.
 */
export interface LookTools {
  now(): number;
  readonly policy: Policy;
  readonly log: Log;
  /** As a run gets it. */
  managementToken(): Promise<FoundManagementToken>;
  readonly secrets: Pick<Secrets, 'list'>;
  /** One request over a connection of its own, ten seconds at most. Rejects with an `InfluxError`, as every client does. */
  send(
    address: Address,
    request: Pick<Request, 'path' | 'query' | 'token'> & { readonly method: 'GET' },
  ): Promise<Answer>;
}

/** The tools of a measurement, which also changes what it has made itself. */
export interface MeasureTools extends LookTools, Timing {
  /** The same, with any method. */
  send(address: Address, request: Request): Promise<Answer>;
  /** The instant by which it must be over. */
  readonly deadline: number;
  /** Aborted when a person waits no more: it then removes what it has made, and measures no more. */
  readonly stopped?: AbortSignal;
}
