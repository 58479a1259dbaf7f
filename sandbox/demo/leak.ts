import { createHash } from 'node:crypto';
import { z } from 'zod';
import { grants, secretOf } from './policy.ts';
import { currentValue, type Incident, type Stage, short } from './stage.ts';

const MINUTE_MS = 60_000;
const BEFORE_THE_END_MS = 12 * 60 * MINUTE_MS - 10 * MINUTE_MS;

const reportSchema = z.object({
  confirmed: z.boolean(),
  tokens: z.array(
    z.object({
      tokenId: z.string(),
      result: z.string(),
      replacedBy: z.string().optional(),
      deadAfterSeconds: z.number().optional(),
    }),
  ),
});

type RevokedToken = z.infer<typeof reportSchema>['tokens'][number];

function formatRevoked({ tokenId, replacedBy, deadAfterSeconds }: RevokedToken): string {
  const successor = replacedBy ? `, replaced by ${short(replacedBy)}` : '';
  const refused = deadAfterSeconds === undefined ? '' : `, refused after ${deadAfterSeconds} s`;
  return `${short(tokenId)} deleted${successor}${refused}`;
}

/** Whether a router still accepts a string for anything that it may ever have been good for. */
const isAccepted = ({ sandbox }: Stage, secret: string, token: string) =>
  (grants.get(secret) ?? []).some(
    ({ action, database }) => sandbox.cluster.acceptedBy(token, action, database).length > 0,
  );

/**
 * A token string is found in public. Only its fingerprint is sent, as `keyturn revoke --leaked` does.
 * There is no grace period then: whoever gives the order has all consumers restarted.
 */
export const leakedString = (stage: Stage): Incident => ({
  at: stage.endAt - BEFORE_THE_END_MS,
  async happen() {
    const { sandbox, invocations, record, broken, emergencies } = stage;
    const secret = secretOf('telegraf');
    const { token } = currentValue(sandbox, secret);
    record({ who: 'leak', what: 'a token string is found in public; keyturn revoke --leaked' });
    const fingerprint = createHash('sha256').update(token).digest('hex').slice(0, 16);
    emergencies.add(secret);
    const answer = await invocations.invoke('revoke', { fingerprint, reason: 'found in public' });
    emergencies.delete(secret);
    if ('error' in answer) return;
    const { tokens, confirmed } = reportSchema.parse(answer.result);
    for (const revoked of tokens.filter(({ result }) => result === 'deleted')) {
      record({ who: 'leak', what: formatRevoked(revoked) });
    }
    record({
      who: 'leak',
      what: confirmed ? 'everything done and proven' : 'NOT everything proven',
    });
    if (!confirmed) broken('the revocation of the leaked string is not confirmed');
    else if (isAccepted(stage, secret, token)) {
      broken('L: a router accepts the leaked string, and its revocation is confirmed');
    }
  },
});
