import { type CfnResource, Stack, Token } from 'aws-cdk-lib';
import type { IAlias } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { ReplicaRegion } from '../functions/policy/policy.ts';
import { kmsKey } from '../functions/policy/schemas/aws-names.ts';
import { REPLICA_KEY } from './named-elsewhere.ts';
import { PolicyFileError } from './policy-file.ts';
import {
  asKnown,
  asMayBe,
  hasUnknown,
  isOfType,
  literalOf,
  propertyOf,
  referenceOf,
  tokensInWords,
} from './references.ts';
import { isStandIn } from './stand-ins.ts';

/** The alias of the app that this names. CDK has a token for the name, or for that part of the ARN, behind which it may carry a reference. */
const aliasNamed = (scope: Construct, part: string): CfnResource | undefined =>
  scope.node.root.node
    .findAll()
    .filter((each) => isOfType(each, 'AWS::KMS::Alias'))
    .find((each) => each.ref === part || (each.node.scope as Partial<IAlias>).aliasName === part);

/** What may begin each part of a key's ARN. */
const MAY_BEGIN = ['arn', 'aws', 'kms', 'xx-north-1', '111122223333', 'key/x'];

/** What a key's id is called, by its class. */
const IDS: ReadonlySet<string | undefined> = new Set(['Ref', 'KeyId']);

/**
 * Where a replica's key is that is of no use there, and what was expected. Undefined: it may be of use, as far as is known.
 * @param known its text, as far as that is known
 * @param key of the app
 */
function elsewhere(home: Stack, region: string, known: string, key?: CfnResource) {
  const [, , , itsRegion, itsAccount = home.account] = known.split(':');
  const { account, region: its } = key ? Stack.of(key) : { account: itsAccount, region: itsRegion };
  if (![account, home.account].some(hasUnknown) && account !== home.account) {
    const ours = home.formatArn({ service: 'kms', region, resource: 'key', resourceName: '<id>' });
    return `, expected ${REPLICA_KEY} such as ${tokensInWords(ours)}`;
  }
  const isKnown = ![its, region].some(hasUnknown);
  // No replica is in the Region of its secret.
  if (its === undefined || (its !== home.region && (!isKnown || its === region))) return undefined;
  const where = hasUnknown(its) ? "this stack's own Region" : its;
  return ` in ${where}, expected a key of the same Region as the replica, which alone encrypts there`;
}

/** What is wrong with a replica's key, as far as it is known. Undefined: it may be one. */
function mistakeOf(
  home: Stack,
  { region, encryptionKey: text = '' }: ReplicaRegion,
): string | undefined {
  const known = asKnown(home, text);
  const { target, displayName } = referenceOf(text) ?? {};
  const key =
    target && isOfType(target, 'AWS::KMS::Key', 'AWS::KMS::ReplicaKey') ? target : undefined;
  const found = `found "${tokensInWords(text)}"`;
  if (key && IDS.has(displayName)) {
    return `${found}, the id of a key, expected its ARN, which alone the roles can name; give keyArn in place of keyId`;
  }
  const wrongPlace = elsewhere(home, region, known, key);
  if (wrongPlace !== undefined) return `${found}${wrongPlace}`;
  const mayBe = asMayBe(MAY_BEGIN, known) ?? 'alias/x';
  const [issue] = kmsKey.safeParse(mayBe).error?.issues ?? [];
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
    const name = literalOf(stack, propertyOf(alias, 'AliasName'));
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
