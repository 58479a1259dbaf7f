import { leftOutOf, type Revocation, readRevocation } from './answers.ts';
import type { Engine } from './engine.ts';
import { CommandError, kindOf } from './failure.ts';
import { refusedAgain } from './preview.ts';
import { InterruptedError } from './waiting.ts';

/** What became of an order that was given. */
export interface Outcome {
  readonly report?: Revocation;
  /** Why not everything was done. */
  readonly failure?: unknown;
  /** Not all is proven, and this is why the same order would be refused now. Absent: it would not, or nobody knows. */
  readonly refusedAgain?: string | undefined;
}

const REPORT_CUT =
  'Its report was cut on its way here, and is in the log of the function; repeat the same command: it continues, and reports again';

/** An order that fails also reports what it did: the report is the last line of the error. */
function outcomeOfError(error: unknown, place: string): Outcome {
  if (!(error instanceof Error) || kindOf(error) !== 'RevocationError') throw error;
  const lines = error.message.split('\n');
  const last = lines.at(-1) ?? '';
  const said = last.startsWith('{') ? lines.slice(0, -1) : lines;
  try {
    const report = readRevocation(JSON.parse(last));
    const leftOut = leftOutOf(report, place);
    const told = [...said, ...(leftOut === undefined ? [] : [leftOut])].join('\n');
    return { report, failure: new CommandError(told, { cause: error }) };
  } catch {
    return { failure: new CommandError([...said, REPORT_CUT].join('\n'), { cause: error }) };
  }
}

/** @throws what is no answer of the function */
export async function sendOrder(order: object, engine: Engine): Promise<Outcome> {
  const outcome = await engine.call('revoke', order).then(
    (answer): Outcome => ({ report: readRevocation(answer) }),
    (error: unknown) => outcomeOfError(error, engine.placeOf('revoke')),
  );
  if (outcome.report?.confirmed !== false) return outcome;
  try {
    // What it ended, or a hold that came meanwhile, may leave a repetition nothing to do.
    return { ...outcome, refusedAgain: await refusedAgain(order, engine) };
  } catch (failure) {
    // What it did is told all the same; a person who no longer waits begins nothing more.
    return failure instanceof InterruptedError ? { failure, ...outcome } : outcome;
  }
}
