/** What went wrong, for a sentence of an answer: without the name of the error, and without its stack. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Whether the SDK sent nothing, since neither the environment nor a profile names a Region. */
export const isWithoutRegion = (error: Error): boolean =>
  error.message.includes('Region is missing');
