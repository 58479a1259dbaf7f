import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IAlias, IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** A key as IAM and Secrets Manager can be told of it. */
export type NamedKey =
  | { readonly arn: string }
  /** `alias/tokens`: which key bears it is not known when the stack is made. `account`: whose, if not the stack's. */
  | { readonly alias: string; readonly account?: string | undefined };

/** A key of a policy file: an ARN, or an alias as ARN or by its name. */
export function keyNamedIn(text: string): NamedKey {
  const [resource = text, account] = text.split(':').reverse();
  return resource.startsWith('alias/') ? { alias: resource, account } : { arn: text };
}

/** The key of an alias, if CDK knows it: of one that is imported by its name it does not, and throws. */
function targetOf(alias: IAlias): IKey | undefined {
  try {
    return alias.aliasTargetKey;
  } catch {
    return undefined;
  }
}

export const isAlias = (key: IKey): key is IAlias => 'aliasName' in key;

/**
 * IAM never sees an alias, only the key that bears it, so an alias of the app is taken for its key. KMS knows no
 * alias of an alias.
 * docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
 */
export const borneBy = (key: IKey): IKey => (isAlias(key) && targetOf(key)) || key;

/** A key of an app. */
export function keyNamedBy(key: IKey): NamedKey {
  const found = borneBy(key);
  return isAlias(found)
    ? { alias: found.aliasName, account: found.env.account }
    : { arn: found.keyArn };
}

/** How Secrets Manager is told of it (`KmsKeyId`). */
export const keyId = (key: NamedKey): string => ('arn' in key ? key.arn : key.alias);

/**
 * Lets CloudWatch Logs encrypt log groups with these names; nothing happens to a key whose policy is not the app's to change.
 * docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 * That page knows `amazonaws.com` alone; in China the name ends as all else there, by CDK's facts of service principals, and a permission of
 * Lambda for the other one was refused: github.com/serverless/serverless/issues/10906. Nobody has tried a key there.
 */
export function letLogsUse(scope: Construct, key: IKey, logGroups: string): void {
  const stack = Stack.of(scope);
  const arn = stack.formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: logGroups,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  const statement = new PolicyStatement({
    principals: [new ServicePrincipal(`logs.${stack.region}.${stack.urlSuffix}`)],
    actions: ['Encrypt', 'Decrypt', 'ReEncrypt*', 'GenerateDataKey*', 'Describe*'].map(
      (action) => `kms:${action}`,
    ),
    resources: ['*'],
    conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': arn } },
  });
  key.addToResourcePolicy(statement, true);
}
