import type { Answer, Request } from '../management-api/exchange.ts';
import type { Policy } from '../policy/policy.ts';
import type { ManagementToken } from '../secrets-manager/management-token.ts';
import type { Secrets } from '../secrets-manager/secrets.ts';
import type { Log } from './tools.ts';

/** One of the cluster's two addresses, which may be the same. */
export type Address = 'managementApi' | 'dataPlane';

/** `by`: a person gave it, its secret has it, or an identity provider gave it to the client whose secret was read. */
export type FoundManagementToken = ManagementToken & {
  readonly by: 'hand' | 'secret' | 'identity provider';
};

/**
 * The tools of an examination, made by `runtime.ts`. They only read, write no metric, and are there although the
 * management token cannot be read.
 */
export interface LookTools {
  readonly now: () => number;
  readonly policy: Policy;
  readonly log: Log;
  /** As a run gets it. */
  managementToken(): Promise<FoundManagementToken>;
  readonly secrets: Pick<Secrets, 'list'>;
  /** One GET over a connection of its own, ten seconds at most. Rejects with an `InfluxError`, as every client does. */
  get(address: Address, request: Pick<Request, 'path' | 'query' | 'token'>): Promise<Answer>;
}
