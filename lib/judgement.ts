import { Annotations, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { namesOf, refuseElsewhere } from './elsewhere.ts';
import { ALARMS } from './nobody-told.ts';
import { nodeWarning } from './node-version.ts';
import { placeOf } from './places.ts';
import { type PolicyFile, PolicyFileError } from './policy-file.ts';
import { type KeyturnProps, propertyMistakes } from './properties.ts';
import { outermost } from './stack-order.ts';
import { isStandIn } from './stand-ins.ts';

/**
 * Refuses what the app or the policy says that a deployment could not have, or that would be of no use.
 * @throws PolicyFileError with a line for each
 */
export function refuse(scope: Construct, policyFile: PolicyFile, props: KeyturnProps): void {
  const mistakes = [...propertyMistakes(scope, props, policyFile), ...unprotected(scope, props)];
  if (mistakes.length > 0) throw new PolicyFileError(mistakes.join('\n'));
  refuseElsewhere(policyFile, namesOf(props), placeOf(Stack.of(scope)), (value) =>
    isStandIn(scope, value),
  );
}

/** `KeyturnStack` hands on all that it is given, and has set what it is to have of these. */
function unprotected(
  scope: Construct,
  props: KeyturnProps & Pick<StackProps, 'terminationProtection'>,
): string[] {
  // A nested stack has no protection of its own.
  const stack = outermost(Stack.of(scope));
  if (!props.terminationProtection || stack.terminationProtection) return [];
  return [
    `Keyturn's property terminationProtection: found true, and the stack ${stack.node.path} without it, expected it as a property of the stack, which alone can have it`,
  ];
}

/** Only `KeyturnStack` sets by itself what the policy file says of its stack. */
function warnIfUnprotected(scope: Construct, { file, deployment }: PolicyFile): void {
  if (deployment.terminationProtection && !outermost(Stack.of(scope)).terminationProtection) {
    Annotations.of(scope).addWarningV2(
      'keyturn:terminationProtection',
      `${file}: deployment.terminationProtection: found true, and the stack of this construct without it, expected both alike: only KeyturnStack sets it by itself; give the stack terminationProtection: true`,
    );
  }
}

/** What whoever synthesizes should know; whether anybody is told of alarms is judged once all is made. */
export function warnOf(scope: Construct, policyFile: PolicyFile): void {
  for (const { key, sentence } of policyFile.warnings) {
    if (key !== ALARMS) Annotations.of(scope).addWarningV2(`keyturn:${key}`, sentence);
  }
  warnIfUnprotected(scope, policyFile);
  const oldNode = nodeWarning(process.version);
  if (oldNode !== undefined) Annotations.of(scope).addWarningV2('keyturn:node', oldNode);
}
