// First, since other packages fail in a bundle of the app, and this one says why.
import './bundle.ts';

import type * as z from 'zod/mini';
import type { policyFileSchema } from './policy-schema.ts';

export type { EventChoice } from './access.ts';
export { Keyturn } from './keyturn.ts';
export { KeyturnFunction } from './keyturn-function.ts';
export { KeyturnStack } from './keyturn-stack.ts';
export type { Measure } from './measured.ts';
export type { Network, NetworkProps } from './network.ts';
export { type PolicyFile, PolicyFileError, type PolicyWarning } from './policy-file.ts';
export type { KeyturnProps } from './properties.ts';
export type { RecipientProps, Recipients } from './recipients.ts';
export { SoleWriter, type SoleWriterProps } from './sole-writer.ts';

/** What a policy file may say, as plain data: durations and windows are text, and whatever has a default may be absent. */
export type PolicyDocument = z.input<typeof policyFileSchema>;
