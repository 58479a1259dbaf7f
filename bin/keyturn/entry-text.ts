import type { EntryCondition } from '../../functions/rotation/plan/entry-condition.ts';
import type { Entry, PlanReport } from './answers.ts';
import { formatRoughly } from './revocation-text.ts';

const CONDITIONS = {
  works: 'works',
  expiring: 'expires soon',
  'cut-short': 'works, but the token that it replaced does not work until its grace period is over',
  'no-database': 'works, but a database that it may use does not exist',
  held: 'on hold',
  gone: 'its token is gone',
  expired: 'expired',
  unarmed: 'never got its permissions',
  stripped:
    'lacks permissions: a person took them or froze it, went back to a quarantined token, or took its marker',
  refused: 'the cluster was not seen to accept its string',
  unknown: 'has a string that nobody knows',
  shared: 'has the string of another secret',
  missing: 'has no token',
  unadopted: 'is not adopted yet; its consumers have what was there before',
  deleted: 'its secret is scheduled for deletion',
  replica: 'a replica',
} satisfies Record<EntryCondition, string>;

/** A newer version's functions may have conditions that this one does not know. */
const WORDS: ReadonlyMap<string, string> = new Map(Object.entries(CONDITIONS));

const short = (tokenId: string) => tokenId.slice(0, 8);

/** `in 3d4h`, or `2d1h ago`. */
export const fromNow = (instant: number, now: number): string =>
  instant > now ? `in ${formatRoughly(instant - now)}` : `${formatRoughly(now - instant)} ago`;

/** How it is with the token that consumers read. */
export const conditionWords = (condition: string): string => WORDS.get(condition) ?? condition;

/** The same, and whether its rotation is late. */
function formatCondition({ condition, late }: Entry): string {
  const words = conditionWords(condition);
  return late ? `${words}, rotation is late` : words;
}

/** Which token waits to be promoted, and from when a run does it. */
const formatPending = ({ tokenId, promotedFrom }: NonNullable<Entry['pending']>, now: number) =>
  `promotes ${short(tokenId)} ${promotedFrom > now ? fromNow(promotedFrom, now) : 'now'}`;

/** Whether its secret has another owner, or none. What is in that, its condition does not know. */
export const isOfOthers = ({ secret }: Entry, { findings }: PlanReport['plan']): boolean =>
  findings.some((each) => each.secret === secret && each.kind === 'NotOurs');

/** A line for each entry that is not simply well, but for what a finding says of whose its secret is. */
export function formatTroubles({ plan, entries = [] }: PlanReport, now: number): string[] {
  return entries.flatMap((entry) => {
    const { token, condition, late, pending } = entry;
    if ((condition === 'works' && !late && !pending) || isOfOthers(entry, plan)) return [];
    const waiting = pending ? [formatPending(pending, now)] : [];
    return `${token}: ${[formatCondition(entry), ...waiting].join('; ')}`;
  });
}
