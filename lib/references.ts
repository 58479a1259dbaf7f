import {
  CfnResource,
  DefaultTokenResolver,
  Reference,
  type Stack,
  StringConcat,
  Token,
  Tokenization,
} from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { writtenOut } from './written-out.ts';

/** Told by its type: an app may have several copies of CDK, whose classes differ. */
export const isOfType = (each: IConstruct, ...types: readonly string[]): each is CfnResource =>
  CfnResource.isCfnResource(each) && types.includes(each.cfnResourceType);

/** What CDK keeps of a resource to itself: properties as its class names them, or as a template does of one that has no class (`new CfnResource`). */
interface Kept {
  readonly cfnProperties: Readonly<Record<string, unknown>>;
  readonly rawOverrides: { readonly Properties?: Readonly<Record<string, unknown>> };
}

/**
 * A property of a resource by now, with the references in it.
 * @param name as a template has it: `KmsMasterKeyId`
 */
export function propertyOf(resource: CfnResource, name: string): unknown {
  const { cfnProperties, rawOverrides } = resource as unknown as Kept;
  const overrides = rawOverrides.Properties ?? {};
  if (name in overrides) return overrides[name];
  return cfnProperties[`${name[0]?.toLowerCase()}${name.slice(1)}`] ?? cfnProperties[name];
}

/** Keeps what a value refers to, while that is resolved. */
class Finder extends DefaultTokenResolver {
  readonly found: Reference[] = [];

  override resolveToken(...given: Parameters<DefaultTokenResolver['resolveToken']>): unknown {
    const [token] = given;
    if (Reference.isReference(token)) this.found.push(token);
    return super.resolveToken(...given);
  }
}

/** The resource of the app that a value refers to, by whatever attribute. */
export function resourceIn(
  scope: IConstruct,
  value: unknown,
  ...types: readonly string[]
): CfnResource | undefined {
  const resolver = new Finder(new StringConcat());
  Tokenization.resolve(value, { scope, resolver });
  return resolver.found.map(({ target }) => target).find((each) => isOfType(each, ...types));
}

const TOKEN = /\$\{Token\[([\w:.-]*?)(?:\.\d+)?\]\}/g;

/** What of the app a text is, if it is nothing else. */
export function referenceOf(text: string): Reference | undefined {
  const found = Tokenization.reverse(text, { failConcat: false });
  return Reference.isReference(found) ? found : undefined;
}

function inWords(token: string, hint: string): string {
  const { target, displayName } = referenceOf(token) ?? {};
  return `<${target ? `${target.node.path}.${displayName}` : hint}>`;
}

/** A text as a sentence may show it: `arn:<AWS.Partition>:iam::444455556666:policy/b`, `<Home/Key/Resource.Arn>`. */
export const tokensInWords = (text: string): string => text.replace(TOKEN, inWords);

/** No name of AWS has it. */
const UNKNOWN = '\0';
/** What CloudFormation looks up at the deployment: `{{resolve:ssm:/on-call:3}}`. */
const DYNAMIC = /\{\{resolve:[^}]*\}\}/g;

/** A text of a stack as far as it is known, with tokens for what of its own place is not. */
export function asKnown(stack: Stack, text: unknown): string {
  const { account, partition, region, stackName, urlSuffix } = stack;
  const known = {
    'AWS::AccountId': account,
    'AWS::Partition': partition,
    'AWS::Region': region,
    'AWS::StackName': stackName,
    'AWS::URLSuffix': urlSuffix,
  };
  const found = writtenOut(stack.resolve(text), { known, other: UNKNOWN });
  return typeof found === 'string' ? found.replace(DYNAMIC, UNKNOWN) : UNKNOWN;
}

/**
 * What a text of a stack means in all stacks of its account: its own Region and name are written out. Undefined: only its deployment
 * knows.
 */
export function literalOf(stack: Stack, text: unknown): string | undefined {
  const found = asKnown(stack, text);
  const own = [stack.region, stack.stackName].filter((each) => Token.isUnresolved(each));
  return [UNKNOWN, ...own].some((each) => found.includes(each)) ? undefined : found;
}

/** Of a text as far as it is known: whether something of it is not. */
export const hasUnknown = (text: string | undefined): boolean =>
  Token.isUnresolved(text) || text?.includes(UNKNOWN) === true;

/**
 * A text as far as it is known, with others in place of what is not. Undefined: it may be any, since nobody knows how it begins.
 * @param starts what may begin each part between colons
 */
export function asMayBe(starts: readonly string[], text: string): string | undefined {
  const parts = text.replace(TOKEN, UNKNOWN).split(':');
  if (parts[0]?.startsWith(UNKNOWN)) return undefined;
  return parts
    .map((part, index) =>
      (part.startsWith(UNKNOWN) ? `${starts[index] ?? ''}${part.slice(1)}` : part).replaceAll(
        UNKNOWN,
        'x',
      ),
    )
    .join(':');
}
