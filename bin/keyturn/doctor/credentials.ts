import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { awsCall, awsClient } from '../../../functions/aws-call.ts';
import type { Check } from '../../../functions/examination/check.ts';
import { isWithoutRegion } from '../../../functions/run/message-of.ts';
import { sentenceOf } from '../failure.ts';
import { PATIENCE_MS } from './look.ts';

/** In whose name AWS is asked, and where. */
export interface Caller {
  readonly account: string;
  readonly region: string;
  /** `aws`, `aws-cn` */
  readonly partition: string;
}

const CHECK = 'AWS credentials';
/** AWS was not asked, or did not believe who asks: nothing else could be asked either. */
const NOBODY = /Credential|ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|Unrecognized/;

/** Whom AWS takes one for. `isNobody`: AWS cannot be asked anything. */
export async function lookAtCredentials(): Promise<{
  readonly check: Check;
  readonly caller?: Caller;
  readonly isNobody?: true;
}> {
  const client = awsClient(STSClient, { maxAttempts: 3 });
  try {
    const [region, identity] = await Promise.all([
      client.config.region(),
      awsCall('GetCallerIdentity', PATIENCE_MS, (how) =>
        client.send(new GetCallerIdentityCommand({}), how),
      ),
    ]);
    const { Account: account = '', Arn = '' } = identity;
    const [, partition = 'aws'] = Arn.split(':');
    const found = `account ${account}, ${region}, ${Arn.split(':').slice(5).join(':')}`;
    return {
      check: { check: CHECK, state: 'ok', found },
      caller: { account, region, partition },
    };
  } catch (error) {
    const isNobody = error instanceof Error && (NOBODY.test(error.name) || isWithoutRegion(error));
    if (!isNobody) return { check: { check: CHECK, state: 'unknown', found: sentenceOf(error) } };
    const found = sentenceOf(error);
    return { check: { check: CHECK, state: 'fail', found }, isNobody: true };
  }
}
