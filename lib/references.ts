import {
  CfnResource,
  DefaultTokenResolver,
  Reference,
  StringConcat,
  Tokenization,
} from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

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

const TOKEN = /\$\{Token\[([^\]]*?)(?:\.\d+)?\]\}/g;

/** A text as a sentence may show it: `arn:<AWS.Partition>:iam::444455556666:policy/b`. */
export const tokensInWords = (text: string): string => text.replace(TOKEN, '<$1>');

/** A text with others in place of what only the deployment knows: of what begins it, and of what is within. */
export const tokensAs = (start: string, within: string, text: string): string =>
  text.replace(TOKEN, (...found) => (found.at(-2) === 0 ? start : within));
