import type { Tools } from '../run/tools.ts';
import { strip, type TokenResult } from './end-token.ts';
import { type Progress, tokenOf } from './progress.ts';
import { STILL_ACCEPTED } from './verify-refused.ts';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** Waits until the cluster shows what the order did to tokens which the last reading showed as they were before it. */
export async function untilShown(
  progress: Progress,
  by: number,
  { api, now, sleep }: Pick<Tools, 'api' | 'now' | 'sleep'>,
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    // What cannot be asked now is not shown yet.
    const asked = progress.late.map(async (id) =>
      (await api.isLate(id).catch(() => true)) ? id : [],
    );
    progress.late = (await Promise.all(asked)).flat();
    if (progress.late.length === 0 || now() + pauseMs >= by) return;
    await sleep(pauseMs);
  }
}

/**
 * Ends once more what the cluster does not show as ended: a server may have lost it, or somebody undone it, which looks
 * like a late read. It is verified anew; a token that was deleted and seen dead stays dead.
 */
export async function endAgain(progress: Progress, tools: Tools): Promise<void> {
  const { late, results, left, revocation } = progress;
  const again = late.map(async (id) => {
    const { deadAfterSeconds, unconfirmed, wasBefore, ...ended } = results.get(id) as TokenResult;
    if (ended.result === 'deleted' && deadAfterSeconds === undefined) {
      await tools.api.deleteToken(id);
    } else if (ended.result === 'frozen') {
      await strip(tokenOf(id, left.seen), revocation.noUndo, tools);
    } else return;
    results.set(id, ended);
  });
  for (const each of await Promise.allSettled(again)) {
    if (each.status === 'fulfilled') continue;
    tools.log.error('failed', { secret: progress.name, error: each.reason });
  }
}

const ACTION: Partial<Record<TokenResult['result'], string>> = {
  deleted: 'delete',
  frozen: 'strip',
  'given-back': 'give-back',
};

/** Ids of tokens whose strings may work: their end was answered as done, and was not seen. */
export const mayWork = ({ late, failures }: Pick<Progress, 'late' | 'failures'>): string[] =>
  [...failures.values()].flatMap(({ what, tokenId = '' }) =>
    what !== 'give-back' && late.includes(tokenId) ? tokenId : [],
  );

/** What the data plane said of its string. */
function saidOf({ result, unconfirmed, deadAfterSeconds, had }: TokenResult): string {
  if (unconfirmed !== undefined) return unconfirmed;
  if (deadAfterSeconds !== undefined) return 'its string was seen refused';
  if (had?.length === 0) return 'it has no permissions';
  return result === 'given-back'
    ? 'its string was seen accepted'
    : 'whether it works now is not known';
}

/**
 * What the cluster does not show as done to the end is not confirmed, and counts as done only if the data plane says so.
 */
export function noteUnshown({ late, results, failures, name }: Progress): void {
  for (const tokenId of late) {
    const result = results.get(tokenId) as TokenResult;
    const what = ACTION[result.result];
    const isNot = result.unconfirmed === STILL_ACCEPTED;
    const why = `it was answered as done, and ${isNot ? 'is not done' : 'the cluster does not show it yet'}; ${saidOf(result)}`;
    if (what === undefined || result.unconfirmed === undefined) {
      results.set(tokenId, { ...result, unconfirmed: why });
      continue;
    }
    const error = new Error(why);
    failures.set(`${what} ${tokenId}`, { what, where: name, tokenId, error });
    const may = what === 'give-back' ? 'it may not work yet' : 'it may still work';
    results.set(tokenId, { ...result, result: 'failed', unconfirmed: `${may}: ${why}` });
  }
}
