import type { Wanted } from '../../functions/revocation/ask-cluster.ts';

export type Job = 'rotate' | 'reap' | 'enforce' | 'revoke';

/** Where the functions' work is done: in Lambda, or in this process. */
export interface Engine {
  /** `keyturn-prod-revoke`, or `this machine`. */
  placeOf(job: Job): string;
  /** Takes what the function takes and answers what it answers, as JSON would tell it. */
  call(job: Job, event: object): Promise<unknown>;
  /** Finds tokens without asking AWS; absent where that cannot be. */
  readonly askCluster?: (wanted: Wanted) => Promise<unknown>;
}
