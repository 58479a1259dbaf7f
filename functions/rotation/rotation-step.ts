import * as z from 'zod/mini';
import { parseEvent } from '../run/request.ts';

const schema = z.object({
  Step: z.enum(['createSecret', 'setSecret', 'testSecret', 'finishSecret']),
  /** ARN. */
  SecretId: z.string(),
  /** Id of the version that Secrets Manager labelled AWSPENDING, without a value. */
  ClientRequestToken: z.string(),
});

/** One of the four steps by which Secrets Manager has a function rotate a secret. */
export type RotationStep = z.output<typeof schema>;

/** @throws RequestError */
export const parseRotationStep = (event: unknown): RotationStep => parseEvent(schema, event);
