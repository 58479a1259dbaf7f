/** What went wrong, for a sentence of an answer: without the name of the error, and without its stack. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
