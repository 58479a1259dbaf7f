import { Stack, Token } from 'aws-cdk-lib';
import type { CfnAlias, IAlias } from 'aws-cdk-lib/aws-kms';
import type { Construct, IConstruct } from 'constructs';
import { kmsKey } from '../functions/policy/aws-names.ts';
import type { ReplicaRegion } from '../functions/policy/policy.ts';
import { PolicyFileError } from './policy-file.ts';
import { isOfType, referencesIn, tokensAs, tokensInWords } from './references.ts';
import { isStandIn } from './stand-ins.ts';
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

const isMadeAlias = (each: IConstruct): each is CfnAlias => isOfType(each, 'AWS::KMS::Alias');

/** The alias of the app that this names. CDK has a token for the name, or for that part of the ARN, behind which it may carry a reference. */
const aliasNamed = (scope: Construct, part: string): CfnAlias | undefined =>
  scope.node.root.node
    .findAll()
    .filter(isMadeAlias)
    .find((each) => each.ref === part || (each.node.scope as Partial<IAlias>).aliasName === part);

/** What may begin each part of an ARN that only the deployment knows, and a name. */
const MAY_BEGIN = ['alias/x', 'aws', 'kms', 'xx-north-1', '111122223333', 'key/x'];

/** What is wrong with a replica's key, as far as it is known. Undefined: it may be one. */
function mistakeOf(
  home: Stack,
  { region, encryptionKey: text = '' }: ReplicaRegion,
): string | undefined {
  const parts = text.split(':').map((part) => literalOf(home, part) ?? part);
  const [only] = tokensAs('', 'x', text) === '' ? referencesIn(home, text) : [];
  const made = only && isOfType(only.target, 'AWS::KMS::Key', 'AWS::KMS::ReplicaKey');
  const found = `found ${made ? `the key ${only.target.node.path}` : `"${tokensInWords(text)}"`}`;
  if (made && only.displayName === 'Ref') {
    return `${found} by its id, expected its ARN, which alone the roles can name; give keyArn in place of keyId`;
  }
  const its = made ? Stack.of(only.target).region : parts[3];
  const isKnown = ![its, region].some((each) => Token.isUnresolved(each));
  // No replica is in the Region of its secret.
  if (its !== undefined && (its === home.region || (isKnown && its !== region))) {
    const where = Token.isUnresolved(its) ? "this stack's own Region" : its;
    return `${found} in ${where}, expected a key of the same Region as the replica, which alone encrypts there`;
  }
  const mayBe = parts.map((part, index) => tokensAs(MAY_BEGIN[index] ?? 'x', 'x', part));
  const [issue] = kmsKey.safeParse(mayBe.join(':')).error?.issues ?? [];
  return issue && `${found}, expected ${issue.message}`;
}

/**
 * The key of a replica by its alias or ARN, as the template will have it, as far as CDK knows.
 * @param place where the app gives it, such as `replicaRegions[0].encryptionKey`
 * @throws PolicyFileError if it is an alias of the app whose name only the deployment of the alias' stack knows, or can be no key of that
 * Region
 */
export function keyAsWritten(
  scope: Construct,
  { region, encryptionKey: key = '' }: ReplicaRegion,
  place: string,
): string {
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
  const encryptionKey = key.split(':').map(written).join(':');
  const mistake = mistakeOf(home, { region, encryptionKey });
  if (mistake === undefined || isStandIn(scope, [region, key])) return encryptionKey;
  throw new PolicyFileError(`Keyturn's property ${place}: ${mistake}`);
}
