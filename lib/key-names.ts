import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import type { CfnAlias, IAlias } from 'aws-cdk-lib/aws-kms';
import type { Construct, IConstruct } from 'constructs';
import { PolicyFileError } from './policy-file.ts';
import { writtenOut } from './written-out.ts';

/** No name of AWS has it. */
const UNKNOWN = '\0';

/**
 * What a text of a stack means in all stacks of its account: its own Region and name are written out. Undefined: only its deployment
 * knows.
 */
export function literalOf(stack: Stack, text: string): string | undefined {
  const { account, partition, region, stackName, urlSuffix } = stack;
  const known = {
    'AWS::AccountId': account,
    'AWS::Partition': partition,
    'AWS::URLSuffix': urlSuffix,
    ...(!Token.isUnresolved(region) && { 'AWS::Region': region }),
    ...(!Token.isUnresolved(stackName) && { 'AWS::StackName': stackName }),
  };
  const found = writtenOut(stack.resolve(text), { known, other: UNKNOWN });
  return typeof found === 'string' && !found.includes(UNKNOWN) ? found : undefined;
}

/** Told by its type: an app may have several copies of CDK, whose classes differ. */
const isMadeAlias = (each: IConstruct): each is CfnAlias =>
  CfnResource.isCfnResource(each) && each.cfnResourceType === 'AWS::KMS::Alias';

/** The alias of the app that this names. CDK has a token for the name, or for that part of the ARN, behind which it may carry a reference. */
const aliasNamed = (scope: Construct, part: string): CfnAlias | undefined =>
  scope.node.root.node
    .findAll()
    .filter(isMadeAlias)
    .find((each) => each.ref === part || (each.node.scope as Partial<IAlias>).aliasName === part);

/**
 * A key by its alias or ARN, as the template will have it, as far as CDK knows.
 * @param place where the app gives it, such as `replicaRegions[0].encryptionKey`
 * @throws PolicyFileError if it is an alias of the app whose name only the deployment of the alias' stack knows
 */
export function keyAsWritten(scope: Construct, key: string, place: string): string {
  const home = Stack.of(scope);
  const written = (part: string): string => {
    if (!Token.isUnresolved(part)) return part;
    const alias = aliasNamed(scope, part);
    if (!alias) {
      const found: unknown = home.resolve(part);
      return typeof found === 'string' ? found : part;
    }
    const stack = Stack.of(alias);
    const name = literalOf(stack, alias.aliasName);
    if (name !== undefined) return name;
    throw new PolicyFileError(
      `Keyturn's property ${place}: found the alias ${alias.node.path}, whose name only the deployment of the stack ${stack.node.path} knows, expected one that ${home.node.path} can name; give the ARN of its key, or give the alias a name that is written out, such as alias/tokens (and its stack an env, if the name says where that is)`,
    );
  };
  return key.split(':').map(written).join(':');
}
