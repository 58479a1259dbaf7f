import type { Measures } from '../environment.ts';
import type { Token } from '../management-api/token.ts';
import { counted } from './counted.ts';
import { fewLines } from './fitted.ts';
import { saidOf } from './message-of.ts';
import type { Log } from './tools.ts';

/**
 * `skipped`: a second look, right before acting, decided otherwise. `postponed`: too little time was
 * left, the next run does it. `armed`: the data plane did not accept the new token in time, and a later run
 * promotes it. `lost`: another run was faster. `held`: a person stopped it meanwhile.
 */
export type Result = 'done' | 'skipped' | 'postponed' | 'armed' | 'lost' | 'held' | 'failed';

/** What happened to one action. */
export interface Outcome<A> {
  readonly action: A;
  readonly result: Result;
  /**
   * A token that is armed now, and that a later run promotes. `at`: since when, by the Management API's time.
   * `forced`: somebody asked for its rotation.
   */
  readonly armed?: {
    readonly tokenId: string;
    readonly at: number;
    readonly expiresAt?: number;
    readonly forced: boolean;
  };
  /** The token that AWSCURRENT has since, if the action gave it one that works. `since`: when its age counts from. */
  readonly current?: {
    readonly token: Pick<Token, 'id' | 'expiresAt'>;
    readonly since: number;
  };
  /** `held`: since when its secret is on hold, by its traces. */
  readonly heldSince?: number;
  /** Why it failed. With any other result: what else went wrong, after the action had this result. */
  readonly error?: unknown;
}

/** An outcome that does not repeat its action. */
export type BareOutcome = Omit<Outcome<never>, 'action'>;

const wentWrong = ({ result, error }: BareOutcome) => result === 'failed' || error !== undefined;

function nameOf(action: object): string {
  const { kind, token, secret, database, tokenId } = { ...action } as Record<string, unknown>;
  return [kind, token ?? secret ?? database ?? tokenId].filter(Boolean).join(' ');
}

function lineOf({ action, result, error }: Outcome<object>): string {
  return `${nameOf(action)}${result === 'failed' ? '' : ` (${result})`}: ${saidOf(error)}`;
}

/** What a later run goes on with must be told beside the failures: nobody sees the report of a run that fails. */
const waitingLines = (outcomes: readonly Outcome<object>[]): readonly string[] =>
  outcomes.flatMap(({ action, result }) => {
    if (result === 'armed') {
      return [
        `armed: ${nameOf(action)}; the next run promotes it as soon as it is accepted everywhere`,
      ];
    }
    return result === 'postponed' ? [`postponed: ${nameOf(action)}; the next run does it`] : [];
  });

/** Some actions failed; all others were carried out. Lambda logs every field of it: those of each action are logged before. */
export class ApplyError extends AggregateError {
  override readonly name = 'ApplyError';

  constructor(outcomes: readonly Outcome<object>[]) {
    const wrong = outcomes.filter(wentWrong);
    super(
      wrong.map(({ error }) => error),
      [
        `${wrong.length} of ${counted(outcomes.length, 'action')} failed:`,
        ...fewLines(wrong.map(lineOf)),
        ...fewLines(waitingLines(outcomes.filter((outcome) => !wentWrong(outcome)))),
      ].join('\n'),
    );
  }
}

/** Carries out one action. An error becomes its outcome (`failed`), so that it stops no other action. */
export async function attempt<A extends object>(
  action: A,
  log: Log,
  carryOut: () => Promise<Result | BareOutcome>,
): Promise<Outcome<A>> {
  try {
    const ended = await carryOut();
    const outcome = typeof ended === 'string' ? { result: ended } : ended;
    log.info(outcome.result, { ...action });
    return { action, ...outcome };
  } catch (error) {
    log.error('failed', { ...action, error });
    return { action, result: 'failed', error };
  }
}

/** Everything that went wrong, as the error that fails the invocation. Undefined: nothing did. */
export const failureOf = (outcomes: readonly Outcome<object>[]): ApplyError | undefined =>
  outcomes.some(wentWrong) ? new ApplyError(outcomes) : undefined;

/** How many actions failed, and how many of each kind were done. */
export function measureOutcomes(outcomes: readonly Outcome<{ readonly kind: string }>[]): Measures {
  const done = outcomes.filter(({ result }) => result === 'done');
  const byKind = Map.groupBy(done, ({ action }) => action.kind);
  return {
    failedActions: outcomes.filter(wentWrong).length,
    actions: Object.fromEntries([...byKind].map(([kind, { length }]) => [kind, length])),
  };
}
