import { type CfnResource, Stack, Token } from 'aws-cdk-lib';
import type { CfnResourcePolicy } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct, IConstruct } from 'constructs';
import { areTogether } from './places.ts';
import { asKnown, isOfType, literalOf, propertyOf, resourceIn } from './references.ts';

/** A secret as a stack names it; with neither, only the deployment knows which it is. */
export interface NamedSecret {
  /** The app makes it. */
  readonly made?: CfnResource | undefined;
  readonly name?: string | undefined;
  /** Then Secrets Manager's hyphen and six characters may be at its end. */
  readonly isInArn?: boolean;
}

/** Undefined: only the deployment knows it. */
function nameIn(stack: Stack, text: unknown): string | undefined {
  const found = literalOf(stack, text);
  return Token.isUnresolved(found) ? undefined : found;
}

/** @param secretId the name or the ARN of a secret, whose parts CDK may not know one by one */
export function secretNamed(scope: Construct, secretId: string): NamedSecret {
  const made = resourceIn(scope, secretId, 'AWS::SecretsManager::Secret');
  if (made) return { made, name: nameIn(Stack.of(made), propertyOf(made, 'Name')) };
  const stack = Stack.of(scope);
  const known = asKnown(stack, secretId);
  const [arn, , , , , , ...resource] = known.split(':');
  const isInArn = arn === 'arn';
  return { name: nameIn(stack, isInArn ? resource.join(':') : known), isInArn };
}

/** Whose resource policy it is. Undefined: it is no such policy. */
function secretIdOf(each: IConstruct): string | undefined {
  if (!isOfType(each, 'AWS::SecretsManager::ResourcePolicy')) return undefined;
  const secretId = propertyOf(each, 'SecretId');
  return typeof secretId === 'string' ? secretId : undefined;
}

/**
 * Refuses another resource policy of a writer's secret: Secrets Manager keeps one. CDK makes one of its own for a secret of the app as soon
 * as that is given a statement, so it is looked at the end of synthesis.
 */
export function refuseOtherPolicies(
  writer: Construct,
  policy: CfnResourcePolicy,
  isItsSecret: (secret: NamedSecret) => boolean,
): void {
  const { made } = secretNamed(writer, policy.secretId);
  const isSecond = (each: IConstruct): boolean => {
    const secretId = each === policy ? undefined : secretIdOf(each);
    if (secretId === undefined) return false;
    const other = secretNamed(each, secretId);
    if (made && other.made) return made === other.made;
    return areTogether(each, policy) === true && isItsSecret(other);
  };
  const sentenceOf = ({ node }: IConstruct) =>
    `SoleWriter ${writer.node.path}: found ${node.path} beside it, expected no other resource policy of its secret, which has one; take that away, which is also what addToResourcePolicy, denyAccountRootDelete, addRotationSchedule (write a CfnRotationSchedule in its place), and grantRead for whoever is of another account, or may be (give both stacks an env), make of a secret of the app; or leave SoleWriter out, and give that policy its three statements by hand (docs/security.md)`;
  writer.node.addValidation({
    validate: () => writer.node.root.node.findAll().filter(isSecond).map(sentenceOf),
  });
}
