import type { IAlias, IKey } from 'aws-cdk-lib/aws-kms';

/** A key as IAM and Secrets Manager can be told of it. */
export type NamedKey =
  | { readonly arn: string }
  /** `alias/tokens`: which key bears it is not known when the stack is made. */
  | { readonly alias: string };

/** A key of a policy file: an ARN, or an alias as ARN or by its name. */
export function keyNamedIn(text: string): NamedKey {
  const resource = text.split(':').at(-1) ?? text;
  return resource.startsWith('alias/') ? { alias: resource } : { arn: text };
}

/** The key of an alias, if CDK knows it: of one that is imported by its name it does not, and throws. */
function targetOf(alias: IAlias): IKey | undefined {
  try {
    return alias.aliasTargetKey;
  } catch {
    return undefined;
  }
}

const isAlias = (key: IKey): key is IAlias => 'aliasName' in key;

/**
 * A key of an app. IAM never sees an alias, only the key that bears it, so an alias of the app is taken for its key.
 * docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
 */
export function keyNamedBy(key: IKey): NamedKey {
  if (!isAlias(key)) return { arn: key.keyArn };
  const target = targetOf(key);
  return target ? keyNamedBy(target) : { alias: key.aliasName };
}

/** How Secrets Manager is told of it (`KmsKeyId`). */
export const keyId = (key: NamedKey): string => ('arn' in key ? key.arn : key.alias);
