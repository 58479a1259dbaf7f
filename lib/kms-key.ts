import type { IAlias, IKey } from 'aws-cdk-lib/aws-kms';
import type { Policy } from '../functions/policy/policy.ts';
import type { PolicyIssue } from '../functions/policy/policy-error.ts';

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

type Found = readonly [path: readonly string[], text: string];

const keysOf = ({ encryptionKey, cluster }: Policy): Found[] =>
  (
    [
      [['encryptionKey'], encryptionKey],
      [['cluster', 'managementTokenKey'], cluster.managementTokenKey],
    ] as const
  ).flatMap(([path, text]) => (text === undefined ? [] : [[path, text] as const]));

/** Keys of another account or Region than that of the stack, as far as it is known. */
export const keysElsewhere = (
  policy: Policy,
  { account, region }: { readonly account?: string; readonly region?: string },
): PolicyIssue[] =>
  keysOf(policy).flatMap(([path, text]) => {
    const [prefix, , , itsRegion, itsAccount, key] = text.split(':');
    if (prefix !== 'arn') return [];
    const isHere = itsRegion === (region ?? itsRegion) && itsAccount === (account ?? itsAccount);
    if (isHere) return [];
    const here = [prefix, 'aws', 'kms', region ?? itsRegion, account ?? itsAccount, key].join(':');
    return [
      {
        path,
        message: `found "${text}", expected a key of this stack's account and Region, because Secrets Manager uses no key of another Region, and one of another account lets that account read; write a key such as ${here}`,
      },
    ];
  });
