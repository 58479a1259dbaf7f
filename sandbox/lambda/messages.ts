/** How a function reports that it failed, in Lambda's words. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/** What the host tells a function's process. Instants are the clock's, absent in real time. */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly instanceId: string;
      /** The handler's module without its ending, and the export's name. */
      readonly module: string;
      readonly exportName: string;
      readonly now: number | undefined;
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

/**
 * What it answers. `turn` is the number of the last message that it had seen from the host when it
 * said so: what it said before the host woke it is out of date.
 */
export type FromWorker =
  | { readonly kind: 'result'; readonly requestId: string; readonly result: string }
  | { readonly kind: 'error'; readonly requestId: string; readonly error: FunctionError }
  | { readonly kind: 'asleep'; readonly until: number | undefined; readonly turn: number }
  | { readonly kind: 'awake'; readonly turn: number }
  | { readonly kind: 'held'; readonly turn: number };

/** Written to both output streams behind an invocation, so that none of its lines comes later. */
export const endOfInvocation = (requestId: string): string => `\0end ${requestId}`;
