import type { Wanted } from '../../functions/revocation/ask-cluster.ts';

export type Job = 'rotate' | 'reap' | 'enforce' | 'revoke';

/** Does the functions' work, in Lambda or in this process. */
export interface Engine {
  /** `keyturn-prod-revoke`, or `this machine`. */
  placeOf(job: Job): string;
  /** Takes the function's event and returns its answer, as parsed from JSON. */
  call(job: Job, event: object): Promise<unknown>;
  /** Finds tokens without a call to AWS; absent if that is not possible. */
  readonly askCluster?: (wanted: Wanted) => Promise<unknown>;
}
