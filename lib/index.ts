import type * as z from 'zod/mini';
import type { documentSchema } from '../functions/policy/document.ts';

export { Keyturn, type KeyturnProps } from './keyturn.ts';
export { KeyturnFunction, type NetworkProps } from './keyturn-function.ts';
export { KeyturnStack } from './keyturn-stack.ts';
export { type PolicyFile, PolicyFileError, type PolicyWarning } from './policy-file.ts';
export { SoleWriter, type SoleWriterProps } from './sole-writer.ts';

/** What a policy file may say, as plain data: durations and windows are text, and whatever has a default may be absent. */
export type PolicyDocument = z.input<typeof documentSchema>;
