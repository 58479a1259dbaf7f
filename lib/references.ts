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

/** Keeps what a value refers to, while that is resolved. */
class Finder extends DefaultTokenResolver {
  readonly found: Reference[] = [];

  override resolveToken(...given: Parameters<DefaultTokenResolver['resolveToken']>): unknown {
    const [token] = given;
    if (Reference.isReference(token)) this.found.push(token);
    return super.resolveToken(...given);
  }
}

/** What of the app a value refers to: `displayName` of each is `Ref` or the name of an attribute. */
export function referencesIn(scope: IConstruct, value: unknown): readonly Reference[] {
  const resolver = new Finder(new StringConcat());
  Tokenization.resolve(value, { scope, resolver });
  return resolver.found;
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
export function asKnown(stack: Stack, text: string): string {
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
export function literalOf(stack: Stack, text: string): string | undefined {
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
