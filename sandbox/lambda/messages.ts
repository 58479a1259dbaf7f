/** The error of a function, in the form that Lambda returns. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** The answer of Lambda: the result, parsed from JSON, or the error. */
export type Answer = { readonly result: unknown } | { readonly error: FunctionError };

/** A message from the host to a function's process. Instants are absent in real time. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly instanceId: string;
      /** The handler's module, without its file extension. */
      readonly module: string;
      readonly exportName: string;
      readonly now: number | undefined;
      /** Milliseconds of its time that go by for each of CPU. */
      readonly cpuFactor: number;
    }
  | {
      readonly kind: 'invoke';
      readonly requestId: string;
      readonly event: string;
      readonly functionArn: string;
      readonly deadlineAt: number;
      readonly now: number | undefined;
      readonly turn: number;
    }
  | { readonly kind: 'wake'; readonly now: number; readonly turn: number }
  | { readonly kind: 'held'; readonly change: 1 | -1; readonly now: number; readonly turn: number };

/** The instant at which the process had done its work, which may be later than the host's. Absent in real time. */
interface Worked {
  readonly workedUntil: number | undefined;
}

/**
 * A message to the host. `turn` is the number of the last message from the host that the process had
 * read: the host ignores reports that are older than its last message.
 */
export type FromWorker =
  | ({ readonly kind: 'result'; readonly requestId: string; readonly result: string } & Worked)
  | ({ readonly kind: 'error'; readonly requestId: string; readonly error: FunctionError } & Worked)
  | ({
      readonly kind: 'asleep';
      readonly until: number | undefined;
      readonly turn: number;
    } & Worked)
  | { readonly kind: 'awake'; readonly turn: number }
  | { readonly kind: 'held'; readonly turn: number };

/** Written to both output streams after an invocation: none of its lines comes later. */
export const endOfInvocation = (requestId: string): string => `\0end ${requestId}`;

/**
 * The stream on which a process waits after an invocation, for one character. It waits without doing anything else,
 * as a process that Lambda froze.
 */
export const THAW = 4;
