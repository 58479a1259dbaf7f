import { parseRotationStep, takeRotationStep } from './rotation/take-rotation-step.ts';
import { type InvocationContext, loadRuntime } from './runtime.ts';

const runtime = loadRuntime();

/**
 * Invoked by Secrets Manager four times for one rotation; each step may be repeated.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
export function handler(event: unknown, context: InvocationContext) {
  const step = parseRotationStep(event);
  return runtime.run(context, (tools) => takeRotationStep(step, tools));
}
