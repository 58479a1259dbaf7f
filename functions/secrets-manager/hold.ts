import { formatInstant } from '../time.ts';
import type { Secret } from './secret.ts';

/**
 * A hold stops every schedule at a secret. It has two traces, and either one holds: a tag, which says who set
 * it, when and why; and a staging label, because tools that manage tags take away what they do not know.
 */
export const HOLD_TAG = 'keyturn:hold';

/** When a hold for deletion was lifted (ISO 8601): the tokens that it ended are replaced, and count against no limit. */
export const LIFTED_TAG = 'keyturn:lifted';

/** `frozen` until `unfreeze`, `deleted` until `lift`. */
export type Hold = 'frozen' | 'deleted';

export const HOLD_LABELS: Readonly<Record<Hold, string>> = {
  frozen: 'keyturn-hold-freeze',
  deleted: 'keyturn-hold-delete',
};

type Traced = Pick<Secret, 'tags' | 'labels'>;

/** Who set a hold, when and why, as far as they are known. */
export interface HoldOrigin {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by?: string | undefined;
  readonly reason: string;
}

/** A tag's value takes 256 characters: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html */
const LONGEST_REASON = 120;
const LONGEST_NAME = 60;
/** What AWS takes in the value of a tag. */
const NOT_IN_TAGS = /[^\p{L}\p{Z}\p{N}_.:/=+\-@]+/gu;
const BY_US = /^(frozen|deleted) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(?: by (\S+))?: (.*)$/u;

const taggable = (text: string, longest: number) =>
  text.replace(NOT_IN_TAGS, ' ').replace(/\s+/g, ' ').trim().slice(0, longest).trim();

/** The hold by its tag. Somebody who set an unknown value also wanted to stop this secret. */
function taggedHold({ tags }: Pick<Secret, 'tags'>): Hold | undefined {
  const value = tags[HOLD_TAG];
  if (value === undefined) return undefined;
  return /^deleted\b/.test(value) ? 'deleted' : 'frozen';
}

const isLabelled = ({ labels }: Pick<Secret, 'labels'>, hold: Hold) =>
  labels[HOLD_LABELS[hold]] !== undefined;

/** The hold of a secret; of two different traces the harsher one. Undefined: none. */
export function holdOf(secret: Traced): Hold | undefined {
  const tagged = taggedHold(secret);
  if (tagged === 'deleted' || isLabelled(secret, 'deleted')) return 'deleted';
  return tagged ?? (isLabelled(secret, 'frozen') ? 'frozen' : undefined);
}

/** What a hold still lacks: its label can be set only where there is a version. */
export function missingTraces(secret: Traced, hold: Hold): readonly ('label' | 'tag')[] {
  const missing: ('label' | 'tag')[] = [];
  if (!isLabelled(secret, hold)) missing.push('label');
  if (taggedHold(secret) !== hold) missing.push('tag');
  return missing;
}

/** The value of the tag: `deleted 2026-11-26T07:00:00Z by alice@laptop: stolen`. */
export function holdText(hold: Hold, { at, by, reason }: HoldOrigin): string {
  const who = by === undefined ? '' : taggable(by, LONGEST_NAME).replaceAll(' ', '-');
  return `${hold} ${formatInstant(at)}${who ? ` by ${who}` : ''}: ${taggable(reason, LONGEST_REASON)}`;
}

/** Reads that value. Undefined: a person wrote the tag by hand, or an earlier version did, or it is gone. */
export function holdOrigin({ tags }: Pick<Secret, 'tags'>): HoldOrigin | undefined {
  const [, , at = '', by, reason = ''] = BY_US.exec(tags[HOLD_TAG] ?? '') ?? [];
  return at ? { at: Date.parse(at), ...(by !== undefined && { by }), reason } : undefined;
}

/** A hold in words, with all that its traces tell: `on hold (frozen) since …, by …: …`. */
export function describeHold(secret: Traced): string | undefined {
  const hold = holdOf(secret);
  if (!hold) return undefined;
  const origin = holdOrigin(secret);
  const value = secret.tags[HOLD_TAG];
  if (origin) {
    const who = origin.by === undefined ? '' : `, by ${origin.by}`;
    return `on hold (${hold}) since ${formatInstant(origin.at)}${who}: ${origin.reason}`;
  }
  if (value === undefined) return `on hold (${hold}) by its label alone; its tag was taken away`;
  return value === hold
    ? `on hold (${hold}); its tag does not say by whom or why`
    : `on hold (${hold}); its tag was written by hand: ${value}`;
}
