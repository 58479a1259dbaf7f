import type { Policy } from '../policy/policy.ts';
import { isWithoutRegion, messageOf, namedAsRegion } from '../run/message-of.ts';
import type { Verdict } from './check.ts';

const isAnswer = (error: Error) => '$fault' in error || error.name === 'ForeignAnswerError';

/**
 * Why Secrets Manager did not do what it was asked for.
 * @param may the permission that the call needs
 * @param policy whether a function asks, or whoever sits at a machine of their own
 */
export function awsRefusal(
  error: unknown,
  may: string,
  policy: Pick<Policy, 'isDeployed'>,
): Verdict {
  const found = messageOf(error);
  if (!(error instanceof Error)) return { state: 'unknown', found };
  if (/AccessDenied|NotAuthorized|Unauthorized/.test(error.name)) {
    return {
      state: 'fail',
      found,
      advice: `allow ${may}, and the use of the key if it has its own`,
    };
  }
  if (/Credential|ExpiredToken|UnrecognizedClient|InvalidSignature/.test(error.name)) {
    return { state: 'fail', found, advice: 'look at the AWS credentials and the Region' };
  }
  if (isWithoutRegion(error)) {
    return {
      state: 'fail',
      // The SDK says something else of a variable that is empty.
      found: namedAsRegion(error) ? found : found.replace(/Region not.*/, 'Region is missing'),
      advice: 'set AWS_REGION, or the Region of the profile',
    };
  }
  if (isAnswer(error)) return { state: 'fail', found };
  return {
    state: 'fail',
    found,
    advice: policy.isDeployed
      ? 'nobody answered: in a VPC, Secrets Manager needs the endpoint secretsmanager, with private DNS and port 443 open to the functions, or a NAT gateway'
      : 'nobody answered: check the way from here to AWS, such as a proxy, and AWS_ENDPOINT_URL',
  };
}
