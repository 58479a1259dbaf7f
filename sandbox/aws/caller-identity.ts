import type { AwsError } from './aws-error.ts';
import type { Store } from './store.ts';

/** Who calls, whatever the credentials: the sandbox has one role. */
const CALLER = 'assumed-role/Operator/somebody';

export const isCallerIdentity = (body: string) =>
  new URLSearchParams(body).get('Action') === 'GetCallerIdentity';

/** The answer of STS, which speaks XML. */
export const callerIdentity = ({ accountId }: Store) =>
  `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:sts::${accountId}:${CALLER}</Arn>
    <UserId>AROASANDBOX:somebody</UserId>
    <Account>${accountId}</Account>
  </GetCallerIdentityResult>
</GetCallerIdentityResponse>`;

export const stsError = ({ code, message }: AwsError) =>
  `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>
</ErrorResponse>`;
