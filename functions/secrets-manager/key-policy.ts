import {
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  type KMSClientConfig,
  KMSServiceException,
} from '@aws-sdk/client-kms';
import { type AwsCallOptions, awsCalls, awsClient } from '../aws-call.ts';
import type { ReadKeyPolicy } from './secrets.ts';

/** What is about this key, or about who asks: docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html (Errors) */
const REFUSALS = /^(?:AccessDenied|NotFound|InvalidArn|KMSInvalidState|Disabled)(?:Exception)?$/;

const TIMEOUT_MS = 5_000;

/**
 * This file is a bundle of its own (`#key-policy-reader`): only a run that puts the first value into a secret
 * under a key of somebody else's choice loads it. So no error of its classes is known outside.
 */
export function createKeyPolicyReader(
  options: AwsCallOptions,
  config: KMSClientConfig = {},
): ReadKeyPolicy {
  // Many secrets may wait for a key that this network does not reach.
  const { ask, again } = awsCalls({ ...options, timeoutMs: TIMEOUT_MS, attempts: 2 });

  /** `GetKeyPolicy` takes no alias. */
  async function idOf(key: string, client: KMSClient): Promise<string> {
    if (!/(?:^|:)alias\//.test(key)) return key;
    const place = `DescribeKey of ${key}`;
    const command = new DescribeKeyCommand({ KeyId: key });
    const { KeyMetadata } = await again(() => ask(place, (how) => client.send(command, how)));
    if (!KeyMetadata?.Arn) throw new Error(`${place} answered without an ARN`);
    return KeyMetadata.Arn;
  }

  return async (key) => {
    // One for each call, which is rare: entries are looked at side by side, and each ends its own connections.
    const client = awsClient(KMSClient, config);
    try {
      const place = `GetKeyPolicy of ${key}`;
      const command = new GetKeyPolicyCommand({ KeyId: await idOf(key, client) });
      const { Policy } = await again(() => ask(place, (how) => client.send(command, how)));
      if (!Policy) throw new Error(`${place} answered without a policy`);
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
