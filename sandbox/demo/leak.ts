import { createHash } from 'node:crypto';
import { z } from 'zod';
import { currentVersion, type Incident, type Stage } from './stage.ts';

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
  const successor = replacedBy ? `, replaced by ${replacedBy.slice(0, 8)}` : '';
  const refused = deadAfterSeconds === undefined ? '' : `, refused after ${deadAfterSeconds} s`;
  return `${tokenId.slice(0, 8)} deleted${successor}${refused}`;
}

/** A token string is found in public. Only its fingerprint is sent, as `keyturn revoke --leaked` does. */
export const leakedString = ({ sandbox, host, clock, endAt, record }: Stage): Incident => ({
  at: endAt - BEFORE_THE_END_MS,
  async happen() {
    const value = currentVersion(sandbox, 'keyturn/demo/telegraf')?.secretString ?? '';
    const { token } = z.object({ token: z.string() }).parse(JSON.parse(value));
    record({ who: 'leak', what: 'a token string is found in public; keyturn revoke --leaked' });
    const fingerprint = createHash('sha256').update(token).digest('hex').slice(0, 16);
    const order = { fingerprint, reason: 'found in public' };
    const answer = await clock.waitFor(host.invoke('revoke', order));
    if ('error' in answer) throw new Error(answer.error.errorMessage);
    const { tokens, confirmed } = reportSchema.parse(answer.result);
    for (const revoked of tokens.filter(({ result }) => result === 'deleted')) {
      record({ who: 'leak', what: formatRevoked(revoked) });
    }
    record({
      who: 'leak',
      what: confirmed ? 'everything done and proven' : 'NOT everything proven',
    });
  },
});
