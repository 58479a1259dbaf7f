const printLine = (line: string) => process.stdout.write(`${line}\n`);
const indent = (text: string) => text.replace(/^/gm, '          ');

/** A step failed; the rest of the run would show nothing more. */
export class StepError extends Error {
  override readonly name = 'StepError';
}

export interface Report {
  /** Later steps depend on it: a failure ends the run. */
  step<T>(sentence: string, work: () => T | Promise<T>): Promise<T>;
  /** No step depends on it: a failure is counted, and the run continues. */
  check(sentence: string, work: () => unknown): Promise<void>;
  note(sentence: string): void;
  /** Prints the last line and returns the number of failures. */
  close(): number;
}

/**
 * Tells one line for every step, with its duration.
 * @param print gets each line; absent: standard output does
 */
export function createReport(print: (line: string) => void = printLine): Report {
  const startedAt = Date.now();
  const counts = { passed: 0, failed: 0 };

  async function step<T>(sentence: string, work: () => T | Promise<T>): Promise<T> {
    const beganAt = Date.now();
    const line = (word: string) => {
      const seconds = ((Date.now() - beganAt) / 1_000).toFixed(1).padStart(6);
      print(`  ${word.padEnd(6)} ${seconds} s  ${sentence}`);
    };
    try {
      const result = await work();
      counts.passed += 1;
      line('ok');
      return result;
    } catch (error) {
      counts.failed += 1;
      line('FAILED');
      print(indent(error instanceof Error ? error.message : String(error)));
      throw new StepError(sentence, { cause: error });
    }
  }

  return {
    step,
    async check(sentence, work) {
      await step(sentence, work).catch((error: unknown) => {
        if (!(error instanceof StepError)) throw error;
      });
    },
    note: (sentence) => print(`  note             ${sentence}`),
    close() {
      const seconds = Math.round((Date.now() - startedAt) / 1_000);
      print(`\n${counts.passed} passed, ${counts.failed} failed, in ${seconds} s`);
      return counts.failed;
    },
  };
}
