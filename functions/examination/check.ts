import { messageOf } from '../run/message-of.ts';
import { within } from '../within.ts';

/** `unknown`: it could not be looked at, and nobody may take it for `ok`. `warn`: it works, and a person should know. */
export type CheckState = 'ok' | 'warn' | 'fail' | 'unknown';

/** What was looked at, what was found there, and what to do. All texts are for people. */
export interface Check {
  readonly check: string;
  readonly state: CheckState;
  readonly found: string;
  readonly advice?: string;
}

export type Verdict = Omit<Check, 'check'>;

/** None takes longer, so that none keeps another from being told. */
const PATIENCE_MS = 25_000;

/** One check, which ends by itself and never rejects: what could not be looked at is unknown. */
export async function examined(
  check: string,
  look: () => Promise<Verdict>,
  patienceMs = PATIENCE_MS,
): Promise<Check> {
  try {
    return { check, ...(await within(patienceMs, look)) };
  } catch (error) {
    return { check, state: 'unknown', found: `it could not be looked at: ${messageOf(error)}` };
  }
}
