import type { Host } from '../lambda/host.ts';
import type { Answer } from '../lambda/messages.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { Moment } from './timeline.ts';

/** A failure that somebody causes on purpose. */
export interface Explanation {
  /** Short name of the function. */
  readonly who: string;
  readonly errorType: string;
}

export interface Invocations {
  readonly count: number;
  /** Those that failed, and that nobody explained. */
  readonly failures: readonly Moment[];
  invoke(name: string, event: unknown): Promise<Answer>;
  /** The function's next failure of this type is wanted. */
  explain(failure: Explanation): void;
}

/** Invokes functions, and keeps what failed. */
export function countInvocations(host: Host, clock: VirtualClock): Invocations {
  const failures: Moment[] = [];
  const explanations = new Set<Explanation>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    failures,
    async invoke(name, event) {
      count += 1;
      const at = clock.now();
      const answer = await clock.waitFor(host.invoke(name, event));
      if (!('error' in answer)) return answer;
      const { errorType, errorMessage } = answer.error;
      const explained = [...explanations].find(
        (each) => each.who === name && each.errorType === errorType,
      );
      if (explained) explanations.delete(explained);
      else failures.push({ at, who: name, what: `FAILED ${errorType}: ${errorMessage}` });
      return answer;
    },
    explain(failure) {
      explanations.add(failure);
    },
  };
}
