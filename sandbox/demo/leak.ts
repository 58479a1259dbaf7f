import { createHash } from 'node:crypto';
import { z } from 'zod';
import { grants, secretOf } from './policy.ts';
import { currentValue, type Incident, type Stage, short } from './stage.ts';

const MINUTE_MS = 60_000;
/** What is told of an order that left nothing open. */
export const LEAK_PROVEN = 'everything done and proven';
/** Promotion and proof together may take longer than a function may run. */
const MOST_ORDERS = 3;
const ENDED = ['deleted', 'gone'];
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

function formatRevoked({ tokenId, result, replacedBy, deadAfterSeconds }: RevokedToken): string {
  const successor = replacedBy ? `, replaced by ${short(replacedBy)}` : '';
  const refused = deadAfterSeconds === undefined ? '' : `, refused after ${deadAfterSeconds} s`;
  return `${short(tokenId)} ${result}${successor}${refused}`;
}

/** Whether a router still accepts a string for anything that it may ever have been good for. */
const isAccepted = ({ sandbox }: Stage, secret: string, token: string) =>
  (grants.get(secret) ?? []).some(
    ({ action, database }) => sandbox.cluster.acceptedBy(token, action, database).length > 0,
  );

/** Gives an order until its report says that everything is done and seen, as the runbook says. */
async function insist({ invocations, record }: Stage, order: object): Promise<boolean> {
  for (let given = 1; given <= MOST_ORDERS; given += 1) {
    const answer = await invocations.invoke('revoke', order);
    if ('error' in answer) return false;
    const { tokens, confirmed } = reportSchema.parse(answer.result);
    for (const revoked of tokens.filter(({ result }) => ENDED.includes(result))) {
      record({ who: 'leak', what: formatRevoked(revoked) });
    }
    const next = given < MOST_ORDERS ? ': the same order again' : '';
    const what = confirmed ? LEAK_PROVEN : `NOT everything proven${next}`;
    record({ who: 'leak', what });
    if (confirmed) return true;
  }
  return false;
}

/**
 * A token string is found in public. Only its fingerprint is sent, as `keyturn revoke --leaked` does.
 * There is no grace period then: whoever gives the order has all consumers restarted.
 */
export const leakedString = (stage: Stage): Incident => ({
  at: stage.endAt - BEFORE_THE_END_MS,
  async happen() {
    const { sandbox, record, broken, emergencies } = stage;
    const secret = secretOf('telegraf');
    const { token } = currentValue(sandbox, secret);
    record({ who: 'leak', what: 'a token string is found in public; keyturn revoke --leaked' });
    const fingerprint = createHash('sha256').update(token).digest('hex').slice(0, 16);
    emergencies.add(secret);
    const confirmed = await insist(stage, { fingerprint, reason: 'found in public' });
    emergencies.delete(secret);
    if (!confirmed) broken('L: nobody knows whether the leaked string is dead');
    else if (isAccepted(stage, secret, token)) {
      broken('L: a router accepts the leaked string, and its revocation is confirmed');
    }
  },
});
