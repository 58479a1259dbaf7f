import {
  CfnResource,
  DefaultTokenResolver,
  Reference,
  Stack,
  StringConcat,
  Token,
  Tokenization,
} from 'aws-cdk-lib';
import type { CfnResourcePolicy, CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct, IConstruct } from 'constructs';
import { literalOf } from './key-names.ts';
import { areTogether } from './neighbours.ts';

/** A secret as a stack names it; with neither, only the deployment knows which it is. */
export interface NamedSecret {
  /** The app makes it. */
  readonly made?: CfnSecret | undefined;
  readonly name?: string | undefined;
  /** Then Secrets Manager's hyphen and six characters may be at its end. */
  readonly isInArn?: boolean;
}

/** Told by its type: an app may have several copies of CDK, whose classes differ. */
const isOfType = (each: IConstruct, type: string): each is CfnResource =>
  CfnResource.isCfnResource(each) && each.cfnResourceType === `AWS::SecretsManager::${type}`;

/** Keeps the secret to which a value refers, while that is resolved. */
class SecretFinder extends DefaultTokenResolver {
  found: CfnSecret | undefined;

  override resolveToken(...given: Parameters<DefaultTokenResolver['resolveToken']>): unknown {
    const [token] = given;
    if (Reference.isReference(token) && isOfType(token.target, 'Secret')) {
      this.found = token.target as CfnSecret;
    }
    return super.resolveToken(...given);
  }
}

/** Undefined: only the deployment knows it. */
function nameIn(stack: Stack, text: string | undefined): string | undefined {
  const found = text === undefined ? undefined : literalOf(stack, text);
  return Token.isUnresolved(found) ? undefined : found;
}

/** @param secretId the name or the ARN of a secret, whose parts CDK may not know one by one */
export function secretNamed(scope: Construct, secretId: string): NamedSecret {
  const resolver = new SecretFinder(new StringConcat());
  Tokenization.resolve(secretId, { scope, resolver });
  const { found: made } = resolver;
  if (made) return { made, name: nameIn(Stack.of(made), made.name) };
  const [arn, , , , , , ...resource] = secretId.split(':');
  const isInArn = arn === 'arn';
  const written = isInArn ? resource.join(':') : secretId;
  return { name: nameIn(Stack.of(scope), written), isInArn };
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
  const isSecond = (each: IConstruct): each is CfnResourcePolicy => {
    if (each === policy || !isOfType(each, 'ResourcePolicy')) return false;
    const other = secretNamed(each, (each as CfnResourcePolicy).secretId);
    if (made && other.made) return made === other.made;
    return areTogether(each, policy) === true && isItsSecret(other);
  };
  const sentenceOf = ({ node }: IConstruct) =>
    `SoleWriter ${writer.node.path}: found ${node.path} beside it, expected no other resource policy of its secret, which has one; take that away, which is also what addToResourcePolicy, denyAccountRootDelete, and grantRead for another account make of a secret of the app; or leave SoleWriter out, and give that policy its three statements by hand (docs/security.md)`;
  writer.node.addValidation({
    validate: () => writer.node.root.node.findAll().filter(isSecond).map(sentenceOf),
  });
}
