import type { Wanted } from '../../functions/revocation/ask-cluster.ts';
import { leftOutOf } from './answers.ts';
import type { Terminal } from './terminal.ts';
import { THIS_MACHINE, whileWaiting } from './waiting.ts';

export type Job = 'rotate' | 'reap' | 'enforce' | 'revoke';

/** Does the functions' work, in Lambda or in this process. */
export interface Engine {
  /** `keyturn-prod-revoke`, or `this machine`. */
  placeOf(job: Job): string;
  /** Takes the function's event and returns its answer, as parsed from JSON. */
  call(job: Job, event: object): Promise<unknown>;
  /**
   * Ends a measurement that goes on in this process, and removes what it has made; undefined: there is none.
   * Resolves to its answer if it was over, and else rejects with what it says in its end.
   */
  readonly stopMeasuring?: () => Promise<unknown>;
  /** Finds tokens without a call to AWS; absent if that is not possible. */
  readonly askCluster?: (wanted: Wanted) => Promise<unknown>;
}

/** Whether an event asks only what there is, or what would be done. */
export const isLook = (event: object): boolean =>
  ('dryRun' in event && event.dryRun === true) ||
  'examine' in event ||
  ('way' in event && event.way === 'whois');

/** The same engine; whoever waits for it is told so, and may stop. */
export function withPatience(engine: Engine, terminal: Terminal): Engine {
  const { askCluster, stopMeasuring } = engine;
  return {
    placeOf: (job) => engine.placeOf(job),
    call: (job, event) =>
      whileWaiting(terminal, { place: engine.placeOf(job), isLook: isLook(event) }, () =>
        engine.call(job, event),
      ).then((answer) => {
        const leftOut = leftOutOf(answer, engine.placeOf(job));
        if (leftOut !== undefined) terminal.note(leftOut);
        return answer;
      }),
    ...(stopMeasuring && { stopMeasuring }),
    ...(askCluster && {
      askCluster: (wanted: Wanted) =>
        whileWaiting(terminal, { place: THIS_MACHINE, isLook: true }, () => askCluster(wanted)),
    }),
  };
}

/** So many keys, or names, are enough to see what is meant. */
const MOST_NAMED = 5;

export const named = (keys: readonly string[]) =>
  keys.length > MOST_NAMED
    ? `${keys.slice(0, MOST_NAMED).join(', ')} and ${keys.length - MOST_NAMED} more`
    : keys.join(', ');
