import type { Measures } from '../environment.ts';
import type { Log } from './tools.ts';

/**
 * `skipped`: a fresh look decided otherwise. `postponed`: the run ends too soon; the next one
 * does it. `lost`: another run was faster. `held`: a person put it on hold meanwhile.
 */
export type Result = 'done' | 'skipped' | 'postponed' | 'lost' | 'held' | 'failed';

/** What became of one action. */
export interface Outcome<A> {
  readonly action: A;
  readonly result: Result;
  /** Why it failed; of any other result, what went wrong beside it and did not undo it. */
  readonly error?: unknown;
}

type Came = Omit<Outcome<never>, 'action'>;

const wentWrong = ({ result, error }: Came) => result === 'failed' || error !== undefined;

function lineOf({ action, result, error }: Outcome<object>): string {
  const { kind, token, secret, database, tokenId } = { ...action } as Record<string, unknown>;
  const name = [kind, token ?? secret ?? database ?? tokenId].filter(Boolean).join(' ');
  return `${name}${result === 'failed' ? '' : ` (${result})`}: ${error}`;
}

/** Something went wrong with some actions; all others were carried out. */
export class ApplyError<A extends object> extends AggregateError {
  override readonly name = 'ApplyError';
  readonly outcomes: readonly Outcome<A>[];

  constructor(outcomes: readonly Outcome<A>[]) {
    const wrong = outcomes.filter(wentWrong);
    super(
      wrong.map(({ error }) => error),
      `${wrong.length} of ${outcomes.length} actions failed:\n${wrong.map(lineOf).join('\n')}`,
    );
    this.outcomes = outcomes;
  }
}

/** Carries out one action; what it throws becomes its outcome and stops nobody else. */
export async function attempt<A extends object>(
  action: A,
  log: Log,
  carryOut: () => Promise<Result | Came>,
): Promise<Outcome<A>> {
  try {
    const came = await carryOut();
    const outcome = typeof came === 'string' ? { result: came } : came;
    log.info(outcome.result, { ...action });
    return { action, ...outcome };
  } catch (error) {
    log.error('failed', { ...action, error });
    return { action, result: 'failed', error };
  }
}

/** @throws ApplyError naming all that went wrong, so that the invocation fails, alarms ring and retries work */
export function settle<A extends object>(outcomes: readonly Outcome<A>[]): readonly Outcome<A>[] {
  if (outcomes.some(wentWrong)) throw new ApplyError(outcomes);
  return outcomes;
}

/** How many failed, and how many of each kind were done. */
export function measureOutcomes(outcomes: readonly Outcome<{ readonly kind: string }>[]): Measures {
  const done = outcomes.filter(({ result }) => result === 'done');
  const byKind = Map.groupBy(done, ({ action }) => action.kind);
  return {
    failedActions: outcomes.filter(wentWrong).length,
    actions: Object.fromEntries([...byKind].map(([kind, { length }]) => [kind, length])),
  };
}
