import type { Tools } from '../run/tools.ts';
import {
  describeHold,
  HOLD_LABELS,
  HOLD_TAG,
  type Hold,
  holdOf,
  holdText,
  LIFTED_TAG,
  missingTraces,
} from '../secrets-manager/hold.ts';
import type { Secret } from '../secrets-manager/secret.ts';
import { formatInstant, MINUTE_MS } from '../time.ts';

interface Origin {
  readonly reason: string;
  readonly by?: string | undefined;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * Sets both traces of a hold, the label first: whoever stops after one of them has set the one that no tag
 * tool takes away. Resolves to what is lacking.
 * @throws the tag's error, if the secret has neither trace
 */
export async function setHold(
  secret: Secret,
  hold: Hold,
  { reason, by }: Origin,
  { secrets, now }: Tools,
): Promise<string | undefined> {
  const missing = missingTraces(secret, hold);
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
  const text = holdText(hold, { at: now(), by, reason });
  const [tagged] = await Promise.allSettled([secrets.tag(secret.name, { [HOLD_TAG]: text })]);
  if (tagged.status === 'fulfilled') return lacking;
  if (lacking !== undefined || to === undefined) throw tagged.reason;
  return `has its label alone as a hold, because its tag was refused: ${messageOf(tagged.reason)}`;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** Kept for what comes after it. */
const RESERVE_MS = 2 * MINUTE_MS;

/**
 * Takes both traces of a hold away, and reads until neither is seen. Where it was for deletion, the secret
 * says from then on that it was lifted: the replacement of its tokens is what a person asked for.
 * @throws Error if a trace is still seen at the end
 */
export async function releaseHold(secret: Secret, tools: Tools): Promise<void> {
  const { secrets, now, sleep, deadline } = tools;
  const { name } = secret;
  if (holdOf(secret) === 'deleted') {
    await secrets.tag(name, { [LIFTED_TAG]: formatInstant(now()) });
  }
  await secrets.untag(name, [HOLD_TAG]);
  for (const label of Object.values(HOLD_LABELS)) {
    const from = secret.labels[label];
    if (from !== undefined) await secrets.moveLabel(name, label, { from });
  }
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    const seen = await secrets.describe(name);
    const hold = seen && describeHold(seen);
    if (hold === undefined) return;
    if (now() + waitMs + RESERVE_MS >= deadline) throw new Error(`${name} is still ${hold}`);
    await sleep(waitMs);
  }
}
