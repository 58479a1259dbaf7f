import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { isMapping } from './mapping.ts';

/** What CDK keeps for the CLI of each value that is to be looked up. */
interface Missing {
  readonly props: { readonly dummyValue?: unknown };
}

/** What CDK has in place of a VPC, of which it keeps no such value. */
const VPC = 'vpc-12345';

/** The texts in a value; of what a class makes its own, such as an ARN. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  const within = Object.values(Object(value));
  const isWhole = Array.isArray(value) || isMapping(value);
  return isWhole ? within.flatMap(textsIn) : within.filter((each) => typeof each === 'string');
}

/** Only the manifest shows them, when it is too late: CDK's stacks keep them to themselves until then. */
const missingIn = (scope: IConstruct): Missing[] =>
  scope.node.root.node
    .findAll()
    .filter((each) => Stack.isStack(each))
    .flatMap(
      (stack) => (stack as unknown as { _missingContext?: Missing[] })._missingContext ?? [],
    );

/**
 * Whether a value is, or has in it, what CDK has in place of what it has not looked up yet, or may be reckoned from that (`NaN`). When an
 * app runs for the first time, the CLI looks up what is missing and runs it again, but only if nothing is wrong: so nothing is said of such
 * a value.
 */
export function isStandIn(scope: IConstruct, value: unknown): boolean {
  const standIns = missingIn(scope)
    .flatMap(({ props }) => textsIn(props.dummyValue ?? VPC))
    .filter((text) => text !== '');
  if (Number.isNaN(value)) return standIns.length > 0;
  return textsIn(value).some((text) => standIns.some((each) => text.includes(each)));
}
