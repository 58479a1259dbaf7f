import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import {
  describeHold,
  HOLD_LABELS,
  HOLD_TAG,
  type Hold,
  type HoldTraces,
  hasOtherHold,
  holdText,
  isDeletion,
  LIFTED_TAG,
  missingTraces,
  tracesBelow,
  tracesOf,
} from '../secrets-manager/hold.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { formatInstant, MINUTE_MS } from '../time.ts';
import { endedTag } from '../tokens/ended-tag.ts';

interface Origin {
  readonly reason: string;
  readonly by?: string | undefined;
}

/**
 * Sets both traces of a hold, the label first: whoever stops after one of them has set the one that no tag
 * tool takes away. The tag keeps the hold of others. Resolves to what is lacking.
 * @throws the tag's error, if the secret has neither trace
 */
export async function setHold(
  secret: Secret,
  hold: Hold,
  { reason, by }: Origin,
  { secrets, now }: Tools,
): Promise<string | undefined> {
  const missing = missingTraces(secret, hold, { by, reason });
  const to = secret.labels.AWSCURRENT;
  let lacking: string | undefined;
  if (missing.includes('label') && to !== undefined) {
    const [labelled] = await Promise.allSettled([
      secrets.moveLabel(secret.name, HOLD_LABELS[hold], { to }),
    ]);
    if (labelled.status === 'rejected') {
      lacking = `has its tag alone as a hold, because its label was refused: ${messageOf(labelled.reason)}`;
    }
  }
  if (!missing.includes('tag')) return lacking;
  const standing = secret.tags[HOLD_TAG];
  const text = holdText(hold, { at: now(), by, reason }, standing);
  const [tagged] = await Promise.allSettled([secrets.tag(secret.name, { [HOLD_TAG]: text })]);
  if (tagged.status === 'fulfilled') return lacking;
  if (lacking !== undefined || to === undefined) throw tagged.reason;
  const problem = `because its tag was refused: ${messageOf(tagged.reason)}`;
  return standing === undefined
    ? `has its label alone as a hold, ${problem}`
    : `has a hold whose tag does not name this order, ${problem}`;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** Of a run, for what comes after a wait for a secret. */
export const RESERVE_MS = 2 * MINUTE_MS;

/** By so much a reading of Secrets Manager may be late. */
export const LATE_READ_MS = MINUTE_MS;

/** Whether both traces of an order's hold are seen, at the latest after a wait in milliseconds. Not, where nobody can read the secret. */
export async function isHoldShown(
  name: string,
  hold: Hold,
  { waitMs, ...origin }: Origin & { readonly waitMs: number },
  { secrets, now, sleep, deadline }: Tools,
): Promise<boolean> {
  const by = Math.min(now() + waitMs, deadline - RESERVE_MS);
  for (let pauseMs = FIRST_WAIT_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_WAIT_MS)) {
    const seen = await secrets.describe(name).catch(() => undefined);
    if (seen && missingTraces(seen, hold, origin).length === 0) return true;
    if (!seen || now() + pauseMs > by) return false;
    await sleep(pauseMs);
  }
}

type Judgement = (seen: Secret) => 'done' | 'other' | 'wait';

/** Reads a secret until its traces are as they were made, or somebody set others. */
async function readUntil(judge: Judgement, name: string, tools: Tools): Promise<'done' | 'other'> {
  const { secrets, now, sleep, deadline } = tools;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    const seen = await secrets.describe(name);
    const judged = seen ? judge(seen) : 'done';
    if (judged !== 'wait') return judged;
    if (now() + waitMs + RESERVE_MS >= deadline) {
      throw new Error(`${name} is still ${seen && describeHold(seen)}`);
    }
    await sleep(waitMs);
  }
}

/**
 * Releases exactly this hold, reads until it is not seen, and resolves to what is known of holds then. The
 * labels go first, and the tag only once they are seen gone: a tag has no compare-and-set, and whoever sets
 * another hold meanwhile puts the label on again, which shows then. It stops where it sees another hold, and
 * the caller's next look finds that. A lifted deletion leaves the freeze that it was set over, and the secret
 * says from then on that it was lifted, and what is gone: that, and its replacement, is what a person asked for.
 * @param gone ids of deleted tokens of the secret, the last ones first: whoever ended them, `reap` perhaps, the deletion meant them
 * @throws Error if a trace is still seen at the end
 */
export async function releaseHold(
  { name, labels }: Pick<Secret, 'name' | 'labels'>,
  hold: HoldTraces,
  gone: readonly string[],
  tools: Tools,
): Promise<HoldTraces> {
  const { secrets, now } = tools;
  const left = tracesBelow(hold);
  const ends = hold.labels.filter((label) => !left.labels.includes(label));
  const isOther = (seen: Secret) => hasOtherHold(seen, hold);
  const before = await secrets.describe(name);
  if (before && isOther(before)) return hold;
  if (isDeletion(hold)) {
    const ended = before && gone.length > 0 ? endedTag(gone, before) : {};
    await secrets.tag(name, { ...ended, [LIFTED_TAG]: formatInstant(now()) });
  }
  for (const label of ends) {
    const from = labels[label];
    if (from !== undefined) await secrets.moveLabel(name, label, { from });
  }
  const isLabelled = (seen: Secret) => ends.some((label) => seen.labels[label] !== undefined);
  const unlabelled = await readUntil(
    (seen) => (isOther(seen) && 'other') || (isLabelled(seen) ? 'wait' : 'done'),
    name,
    tools,
  );
  if (unlabelled === 'other') return hold;
  if (left.tag !== undefined) await secrets.tag(name, { [HOLD_TAG]: left.tag });
  else await secrets.untag(name, [HOLD_TAG]);
  await readUntil(
    (seen) => {
      if (isOther(seen) || isLabelled(seen)) return 'other';
      return tracesOf(seen).tag === left.tag ? 'done' : 'wait';
    },
    name,
    tools,
  );
  return left;
}
