import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  type KMSClientConfig,
  KMSServiceException,
} from '@aws-sdk/client-kms';
import { awsCall, NO_RETRIES, withBounds } from '../aws-call.ts';
import type { ReadKeyPolicy } from './secrets.ts';

const TIMEOUT_MS = 5_000;
/** What is about this key, or about who asks: docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html (Errors) */
const REFUSALS = /^(?:AccessDenied|NotFound|InvalidArn|KMSInvalidState|Disabled)(?:Exception)?$/;

/**
 * This file is a bundle of its own (`#key-policy-reader`): only a run that puts the first value into a secret
 * under a key of somebody else's choice loads it. So no error of its classes is known outside.
 */
export function createKeyPolicyReader(config: KMSClientConfig = {}): ReadKeyPolicy {
  /** `GetKeyPolicy` takes no alias. */
  async function idOf(key: string, client: KMSClient): Promise<string> {
    if (!/(?:^|:)alias\//.test(key)) return key;
    const command = new DescribeKeyCommand({ KeyId: key });
    const { KeyMetadata } = await awsCall(`DescribeKey of ${key}`, TIMEOUT_MS, (how) =>
      client.send(command, how),
    );
    if (!KeyMetadata?.Arn) throw new Error(`DescribeKey of ${key} answered without an ARN`);
    return KeyMetadata.Arn;
  }

  return async (key) => {
    // One for each call, which is rare: entries are looked at side by side, and each ends its own connections.
    const client = withBounds(new KMSClient({ ...NO_RETRIES, ...config }));
    try {
      const command = new GetKeyPolicyCommand({ KeyId: await idOf(key, client) });
      const { Policy } = await awsCall(`GetKeyPolicy of ${key}`, TIMEOUT_MS, (how) =>
        client.send(command, how),
      );
      if (!Policy) throw new Error(`GetKeyPolicy of ${key} answered without a policy`);
      return { policy: Policy };
    } catch (error) {
      if (error instanceof KMSServiceException && REFUSALS.test(error.name)) {
        return { refusal: `${error.name}: ${error.message}` };
      }
      throw error;
    } finally {
      // Lambda freezes the process between runs.
      client.destroy();
    }
  };
}
