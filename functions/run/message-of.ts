/** Where several addresses refuse, Node.js has a code and no words. */
const wordOf = (error: Error): string => `${Object(error).code ?? error.name}`;

/** What went wrong, for a sentence of an answer: without the name of the error, and without its stack. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || wordOf(error) : String(error);

/** As `messageOf`, with the code by which AWS's documentation knows an error of AWS. The class of others is for logs alone. */
export const saidOf = (error: unknown): string =>
  error instanceof Error && '$fault' in error
    ? `${error.name}: ${error.message}`
    : messageOf(error);

/** Whether the SDK sent nothing, since neither the environment nor a profile names a Region, or what they name can be none. */
export const isWithoutRegion = (error: Error): boolean =>
  /Region is missing|Region not accepted/.test(error.message);

/** What is named in its place. Undefined: nothing, or a variable that is empty. */
export function namedAsRegion(error: Error): string | undefined {
  const named = /region="([^"]{0,200})" is not/.exec(error.message)?.[1];
  return named?.trim() ? named : undefined;
}
