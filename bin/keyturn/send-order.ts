import { type Revocation, readRevocation } from './answers.ts';
import type { Engine } from './engine.ts';
import { CommandError, kindOf } from './failure.ts';

/** What became of an order that was given. */
export interface Outcome {
  readonly report?: Revocation;
  /** Why not everything was done. */
  readonly failure?: unknown;
}

const REPORT_CUT =
  'Its report was cut on its way here, and is in the log of the function; repeat the same command: it continues, and reports again';

/** An order that fails also reports what it did: the report is the last line of the error. */
function outcomeOfError(error: unknown): Outcome {
  if (!(error instanceof Error) || kindOf(error) !== 'RevocationError') throw error;
  const lines = error.message.split('\n');
  const last = lines.at(-1) ?? '';
  const said = last.startsWith('{') ? lines.slice(0, -1) : lines;
  try {
    const report = readRevocation(JSON.parse(last));
    return { report, failure: new CommandError(said.join('\n'), { cause: error }) };
  } catch {
    return { failure: new CommandError([...said, REPORT_CUT].join('\n'), { cause: error }) };
  }
}

/** @throws what is no answer of the function */
export async function sendOrder(order: object, engine: Engine): Promise<Outcome> {
  try {
    return { report: readRevocation(await engine.call('revoke', order)) };
  } catch (error) {
    return outcomeOfError(error);
  }
}
