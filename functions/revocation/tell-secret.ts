import { entryOf } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import { holdOf } from '../secrets-manager/hold.ts';
import { secretNamedIn } from '../tokens/observation.ts';
import { currentHolder, isUnknown, works } from '../tokens/state.ts';
import type { UnderHold } from '../tokens/under-hold.ts';
import { tokenNamedBy } from '../tokens/version-id.ts';
import { isRenewedNext } from './already-done.ts';
import type { TokenResult } from './end-token.ts';
import { observeOne } from './observe.ts';
import { mendedBy } from './plan/decide-token.ts';
import { ENDING_WAYS } from './plan/order.ts';
import type { RevocationAction } from './plan/revocation-action.ts';
import { CUT_LISTING } from './plan/uncovered.ts';
import {
  expectedIds,
  isOfToken,
  keyOf,
  located,
  type Progress,
  provingOf,
  tokenOf,
} from './progress.ts';
import { isHoldShown, LATE_READ_MS } from './set-hold.ts';
import { failedResult } from './tell-failures.ts';
import { mayWork, withoutLabel } from './unknown-strings.ts';
import { verifyAccepted } from './verify-accepted.ts';

/** Adds the successor's id to every token that it replaces. */
export function withSuccessor(results: readonly TokenResult[]): TokenResult[] {
  const successor = results.find(({ result }) => result === 'successor');
  return results.map((each) =>
    successor && (each.result === 'deleted' || each.result === 'gone')
      ? { ...each, replacedBy: successor.tokenId }
      : each,
  );
}

/** Why nothing was tried that comes behind these. */
const BEHIND: Readonly<Record<string, string>> = {
  replace: 'no successor was promoted',
  release: 'the hold was not released',
  delete: 'not all was deleted before',
};

/** What was left to do for tokens when the secret was looked at last, and why it is not done. */
export function leftOf(
  { left: { seen, actions }, failures, done, settled }: Progress,
  now: number,
) {
  const isLeft = (action: RevocationAction) =>
    failures.has(keyOf(action)) || !done.has(keyOf(action));
  const observing = failures.get('observe')?.error;
  const before = [...failures.values()].flatMap(({ what }) => BEHIND[what] ?? [])[0];
  return (settled ? [] : actions.filter(isOfToken).filter(isLeft)).map((action) => {
    const why = failures.get(keyOf(action))?.error ?? observing ?? before;
    const isGiving = action.kind === 'give-back';
    const observed = tokenOf(action.tokenId, seen);
    const result = located(failedResult(observed, isGiving, why, now), seen);
    return { result, isAlive: !isGiving && works(observed.token, now) };
  });
}

type LastLook = Pick<UnderHold<unknown>, 'holdError' | 'obeyed'>;

/**
 * What the last look at the hold means for a token that got permissions: unconfirmed, if the hold could not be
 * read or obeyed; otherwise it has none again.
 */
export function afterLastLook(result: TokenResult, { holdError, obeyed }: LastLook): TokenResult {
  const isGivenBack = result.result === 'given-back';
  if (!isGivenBack && result.result !== 'successor') return result;
  if (obeyed !== undefined) {
    const unconfirmed = `its permissions were taken away again, because ${result.secret} is ${obeyed}`;
    return { ...result, ...(isGivenBack && { result: 'left' }), unconfirmed };
  }
  if (!holdError || result.unconfirmed !== undefined) return result;
  return { ...result, unconfirmed: holdError.message };
}

/** The same as a sentence, if no token has it. */
export const unsaid = (results: readonly TokenResult[], { holdError }: LastLook): string[] =>
  holdError && !results.some(({ unconfirmed }) => unconfirmed === holdError.message)
    ? [holdError.message]
    : [];

/** Strings in the secret that the order does not end, and that may work; in sentences. */
async function othersMayWork(progress: Progress, tools: Tools): Promise<string[]> {
  const { name, order, revocation, unknown, foreign, before, results } = progress;
  if (!ENDING_WAYS.includes(order.way)) return [];
  const told = new Set([...results.values()].flatMap(({ versions = [] }) => versions));
  // What Keyturn put is found by its tokens; by its versions, if an earlier order may have ended these.
  const isMeant = (version: string) =>
    !told.has(version) && (before?.isShown || !tokenNamedBy(version)?.certain);
  const secretNamed = secretNamedIn(revocation.around);
  const look = (versions: readonly string[]) =>
    observeOne(name, tools, { foreign, ids: expectedIds(progress), secretNamed, versions });
  const asked = await withoutLabel(name, isMeant, look, tools).catch(messageOf);
  const [others, problem] = typeof asked === 'string' ? [[], asked] : [asked, undefined];
  const strings = new Map([...unknown, ...others.map((each) => [each.version, each] as const)]);
  const ours = [...revocation.around.secrets.values()].flatMap(({ tokens }) => tokens);
  const around = {
    ownerOf: (fingerprint: string) => ours.find(({ marker }) => marker.fp === fingerprint),
    isEnded: (secret: string) => revocation.secrets.includes(secret),
  };
  const about = { proving: provingOf(progress), tools };
  const found = await mayWork(name, [...strings.values()], around, about);
  if (problem === undefined) return found;
  return [
    ...found,
    `${name}: its versions without a label could not be looked at (${problem}); a string in one of them may still work`,
  ];
}

/** Why consumers may have nothing that works where it was undone, if what they read is no token's of the secret; in sentences. */
async function currentMayFail(progress: Progress, tools: Tools): Promise<string[]> {
  const { name, order, left } = progress;
  const { secret } = left.seen;
  const isOver = ENDING_WAYS.includes(order.way) || holdOf(secret) !== undefined;
  const entry = entryOf(tools.policy, name);
  if (isOver || isRenewedNext(left.seen, { ...order, entry })) return [];
  const end = mendedBy(entry);
  const version = secret.labels.AWSCURRENT;
  if (version === undefined) return [`${name} has no version that consumers could read; ${end}`];
  if (currentHolder(left.seen) && !isUnknown(left.seen, 'AWSCURRENT')) return [];
  const about = { tokenId: version, result: 'left', secret: name, versions: [version] } as const;
  const had = entry?.permissions ?? [];
  const { unconfirmed } = await verifyAccepted({ ...about, had }, tools);
  if (had.length > 0 && unconfirmed === undefined) return [];
  const why = unconfirmed ?? 'nobody knows what it may do';
  return [`${name}: consumers read an unknown string (version ${version}), and ${why}; ${end}`];
}

/** That the order has ended what consumers have, and they got nothing for it, in sentences. */
function withoutSuccessor(progress: Progress, { policy }: Tools): string[] {
  const { name, order, settled, reason, left } = progress;
  if (order.way !== 'replace' || settled || reason !== undefined) return [];
  if (currentHolder(left.seen)?.state !== 'gone') return [];
  const end = mendedBy(entryOf(policy, name));
  return [
    `consumers of ${name} have no token that works: the one that they had is ended, and there is no successor yet; give the same order again, or, ${end}`,
  ];
}

/** Holds of which a part was refused, unless they are seen to stand: AWS also refuses a label that is there already. */
async function lackingHolds({ name, partial, revocation }: Progress, tools: Tools) {
  const told = [...partial.values()].map(async ({ hold, text, wasSet }) => {
    const waitMs = wasSet ? LATE_READ_MS : 0;
    return (await isHoldShown(name, hold, { ...revocation, waitMs }, tools))
      ? []
      : `${name} ${text}`;
  });
  return (await Promise.all(told)).flat();
}

/** What is not confirmed of a secret beside its tokens, in sentences. */
export async function unconfirmedOf(progress: Progress, tools: Tools): Promise<string[]> {
  const { name, reason, unread, unseen, cut } = progress;
  return [
    ...withoutSuccessor(progress, tools),
    ...(reason === undefined ? [] : [`${name} ${reason}`]),
    ...(unread === undefined ? [] : [`${name} ${unread}`]),
    ...unseen,
    ...(await lackingHolds(progress, tools)),
    ...(cut ? [CUT_LISTING] : []),
    ...(await othersMayWork(progress, tools)),
    ...(await currentMayFail(progress, tools)),
  ];
}
