import type { Measures } from '../measures.ts';
import type { Action } from './plan.ts';
import type { Log } from './tools.ts';

/** What became of one action. */
export interface Outcome<A = Action> {
  readonly action: A;
  /**
   * `skipped`: a fresh look decided otherwise. `postponed`: the run ends too soon; the next one
   * does it. `lost`: another run was faster. `held`: a person put it on hold meanwhile.
   */
  readonly result: 'done' | 'skipped' | 'postponed' | 'lost' | 'held' | 'failed';
  readonly error?: unknown;
}

/** Some actions failed; all others were carried out. */
export class ApplyError<A extends object = Action> extends AggregateError {
  override readonly name = 'ApplyError';
  readonly outcomes: readonly Outcome<A>[];

  constructor(outcomes: readonly Outcome<A>[]) {
    const failed = outcomes.filter(({ result }) => result === 'failed');
    const lines = failed.map(({ action, error }) => `${nameOf(action)}: ${error}`);
    super(
      failed.map(({ error }) => error),
      `${failed.length} of ${outcomes.length} actions failed:\n${lines.join('\n')}`,
    );
    this.outcomes = outcomes;
  }
}

function nameOf(action: object): string {
  const { kind, token, secret, database, tokenId } = { ...action } as Record<string, unknown>;
  return [kind, token ?? secret ?? database ?? tokenId].filter(Boolean).join(' ');
}

/** Carries out one action; what it throws becomes its outcome and stops nobody else. */
export async function attempt<A extends object>(
  action: A,
  log: Log,
  carryOut: () => Promise<Outcome<A>['result']>,
): Promise<Outcome<A>> {
  try {
    const result = await carryOut();
    log.info(result, { ...action });
    return { action, result };
  } catch (error) {
    log.error('failed', { ...action, error });
    return { action, result: 'failed', error };
  }
}

/** @throws ApplyError naming every failure, so that the invocation fails, alarms ring and retries work */
export function settle<A extends object>(outcomes: readonly Outcome<A>[]): readonly Outcome<A>[] {
  if (outcomes.some(({ result }) => result === 'failed')) throw new ApplyError(outcomes);
  return outcomes;
}

/** How many failed, and how many of each kind were done. */
export function measureOutcomes(outcomes: readonly Outcome<{ readonly kind: string }>[]): Measures {
  const done = outcomes.filter(({ result }) => result === 'done');
  const byKind = Map.groupBy(done, ({ action }) => action.kind);
  return {
    failedActions: outcomes.filter(({ result }) => result === 'failed').length,
    actions: Object.fromEntries([...byKind].map(([kind, { length }]) => [kind, length])),
  };
}
