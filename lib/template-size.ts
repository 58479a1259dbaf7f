import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { PolicyFile } from './policy-file.ts';

/** CloudFormation's quota of a template, for which CDK has a warning alone; in UTF-8. */
const MOST_BYTES = 1_000_000;
/** All that is in the template beside the policy. A smaller policy is not why a template is too large. */
const USUAL_BYTES = 100_000;

/** Of CDK's own, which no type shows: what it writes, and whether in one line. */
interface Written {
  readonly _toCloudFormation?: () => object;
  readonly _suppressTemplateIndentation?: boolean;
}

const bytesOf = (template: object, isCompact: boolean) =>
  Buffer.byteLength(JSON.stringify(template, undefined, isCompact ? undefined : 1));

const shown = (bytes: number) => bytes.toLocaleString('en');

/** Refuses at synthesis a template that CloudFormation would refuse once everything is uploaded, if the policy in it is why. */
export function refuseLargeTemplate(
  scope: Construct,
  { file, policy: { tokens } }: PolicyFile,
  full: object,
): void {
  if (bytesOf(full, false) < USUAL_BYTES) return;
  const validate = () => {
    const stack = Stack.of(scope);
    const written = stack as unknown as Written;
    const isCompact = written._suppressTemplateIndentation ?? false;
    const template = written._toCloudFormation?.();
    const bytes = template ? bytesOf(template, isCompact) : 0;
    if (bytes <= MOST_BYTES) return [];
    const files = Math.ceil(bytes / (MOST_BYTES * 0.8));
    const compact = isCompact
      ? ''
      : ', or have the template written in one line (-c @aws-cdk/core:suppressTemplateIndentation=true)';
    return [
      `${file}: tokens: found ${shown(tokens.length)}, with which the template of ${stack.node.path} has ${shown(bytes)} bytes, expected at most ${shown(MOST_BYTES)}, which is CloudFormation's limit; say in "defaults" what entries have in common, divide the file into ${files} with an owner each${compact}`,
    ];
  };
  scope.node.addValidation({ validate });
}
