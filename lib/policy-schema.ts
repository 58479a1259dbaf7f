import * as z from 'zod/mini';
import { documentSchema, EXTENSION } from '../functions/policy/document.ts';
import { deploymentSchema } from './deployment.ts';

/** The policy file as plain data: what the functions are bundled with, and how they are deployed. */
export const policyFileSchema = z.extend(documentSchema, {
  deployment: z._default(deploymentSchema, z.parse(deploymentSchema, {})),
});

/** JSON Schema of the policy file, for editors. */
export const policyJsonSchema = () => ({
  ...z.toJSONSchema(policyFileSchema, { io: 'input' }),
  patternProperties: { [`^${EXTENSION}`]: {} },
});
