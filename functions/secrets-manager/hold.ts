import { formatInstant } from '../time.ts';
import { LONGEST_TAG, type Secret } from './secret.ts';

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

const LONGEST_REASON = 120;
/** Of a second order, so that the first one keeps some room. */
const LONGEST_SECOND_REASON = 60;
const LONGEST_NAME = 60;
/** What AWS takes in the value of a tag. */
const NOT_IN_TAGS = /[^\p{L}\p{Z}\p{N}_.:/=+\-@]+/gu;
/** Before the words of another order that holds the secret too. */
const AND = ' + ';
/** Before a freeze that a deletion was set over: lifting the deletion leaves it. */
const OVER = ' + over: ';
const DELETED_BY_US = /^deleted \d{4}-\d\d-\d\dT[\d:]+Z/;
const BY_US = /^(frozen|deleted) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)(?: by (\S+))?: (.*)$/u;

const cut = (text: string, longest: number) => text.slice(0, longest).trim();

/** A `+` that stands alone would begin the words of another order, or a freeze. */
const LONE_PLUS = /(?<=^| )\+(?= |$)/g;

const taggable = (text: string, longest: number) => {
  const words = text.replace(NOT_IN_TAGS, ' ').replace(/\s+/g, ' ').trim();
  return cut(words.replace(LONE_PLUS, 'and'), longest);
};

/** Somebody who set an unknown value also wanted to stop this secret. */
const holdIn = (tag: string): Hold => (/^deleted\b/.test(tag) ? 'deleted' : 'frozen');

/** The hold by its tag. */
function taggedHold({ tags }: Pick<Secret, 'tags'>): Hold | undefined {
  const value = tags[HOLD_TAG];
  return value === undefined ? undefined : holdIn(value);
}

const isLabelled = ({ labels }: Pick<Secret, 'labels'>, hold: Hold) =>
  labels[HOLD_LABELS[hold]] !== undefined;

/** The hold of a secret; of two different traces the harsher one. Undefined: none. */
export function holdOf(secret: Traced): Hold | undefined {
  const tagged = taggedHold(secret);
  if (tagged === 'deleted' || isLabelled(secret, 'deleted')) return 'deleted';
  return tagged ?? (isLabelled(secret, 'frozen') ? 'frozen' : undefined);
}

/** Of a reason such as `???`: without words an order would not find its own hold again, because what ends a tag is trimmed. */
const WORDLESS = 'a reason without a letter';

/** ` by alice@laptop: stolen`. */
function signature({ by, reason }: Pick<HoldOrigin, 'by' | 'reason'>, longest: number): string {
  const who = by === undefined ? '' : taggable(by, LONGEST_NAME).replaceAll(' ', '-');
  return `${who ? ` by ${who}` : ''}: ${taggable(reason, longest) || WORDLESS}`;
}

/**
 * What a tag says of the hold itself, and the freeze that it was set over: only a deletion by an order is over one,
 * whatever people write.
 */
function partsOf(tag: string): readonly [above: string, below?: string] {
  const at = DELETED_BY_US.test(tag) ? tag.indexOf(OVER) : -1;
  return at < 0 ? [tag] : [tag.slice(0, at), tag.slice(at + OVER.length)];
}

/** Whether the tag says that this order holds the secret, be it the only one or not. */
function isSigned({ tags }: Pick<Secret, 'tags'>, origin: Pick<HoldOrigin, 'by' | 'reason'>) {
  const [own] = partsOf(tags[HOLD_TAG] ?? '');
  const signed = `Z${signature(origin, LONGEST_SECOND_REASON)}`; // behind an instant
  return own.split(AND).some((each) => each.slice(each.indexOf('Z')).startsWith(signed));
}

/**
 * What a hold still lacks: its label can be set only where there is a version. `origin`: the order whose hold
 * it is, so that whoever releases the hold of another order sees that this one holds the secret too.
 */
export function missingTraces(
  secret: Traced,
  hold: Hold,
  origin?: Pick<HoldOrigin, 'by' | 'reason'>,
): readonly ('label' | 'tag')[] {
  const missing: ('label' | 'tag')[] = [];
  if (!isLabelled(secret, hold)) missing.push('label');
  const isTagged = taggedHold(secret) === hold && (!origin || isSigned(secret, origin));
  if (!isTagged) missing.push('tag');
  return missing;
}

/**
 * The value of the tag: `deleted 2026-11-26T07:00:00Z by alice@laptop: stolen`. A hold that stands already is
 * carried along, as far as there is room: `frozen … by alice: stolen + … by bob: legal`, and for a freeze
 * under a deletion `deleted … by bob: leaked + over: frozen … by alice: stolen`.
 */
export function holdText(hold: Hold, origin: HoldOrigin, standing?: string): string {
  const at = formatInstant(origin.at);
  if (!standing) return `${hold} ${at}${signature(origin, LONGEST_REASON)}`;
  const said = `${at}${signature(origin, LONGEST_SECOND_REASON)}`;
  if (holdIn(standing) !== hold) return cut(`${hold} ${said}${OVER}${standing}`, LONGEST_TAG);
  const [first, below] = partsOf(standing);
  const rest = `${AND}${said}${below === undefined ? '' : OVER + below}`;
  const since = `${hold} ${at}`.length;
  return cut(cut(first, Math.max(since, LONGEST_TAG - rest.length)) + rest, LONGEST_TAG);
}

/** The traces of a hold, as somebody saw them. */
export interface HoldTraces {
  readonly tag?: string | undefined;
  readonly labels: readonly string[];
}

export const tracesOf = ({ tags, labels }: Traced): HoldTraces => ({
  tag: tags[HOLD_TAG],
  labels: Object.values(HOLD_LABELS).filter((label) => labels[label] !== undefined),
});

/** Whether these traces are of a hold for deletion. */
export const isDeletion = ({ tag, labels }: HoldTraces) =>
  labels.includes(HOLD_LABELS.deleted) || (tag !== undefined && holdIn(tag) === 'deleted');

/** What is left of these traces once the hold is released: a freeze that was there before a deletion. */
export function tracesBelow(hold: HoldTraces): HoldTraces {
  if (!isDeletion(hold)) return { labels: [] };
  const { tag, labels } = hold;
  return {
    tag: tag !== undefined && holdIn(tag) === 'deleted' ? partsOf(tag)[1] : tag,
    labels: labels.filter((label) => label !== HOLD_LABELS.deleted),
  };
}

/** Whether a secret has a trace of a hold that is none of these, nor what releasing them leaves. */
export function hasOtherHold(secret: Traced, known: HoldTraces): boolean {
  const { tag, labels } = tracesOf(secret);
  const isKnown = tag === undefined || tag === known.tag || tag === tracesBelow(known).tag;
  return !isKnown || labels.some((label) => !known.labels.includes(label));
}

/** Reads that value. Undefined: a person wrote the tag by hand, or an earlier version did, or it is gone. */
export function holdOrigin({ tags }: Pick<Secret, 'tags'>): HoldOrigin | undefined {
  const [, , instant = '', by, reason = ''] = BY_US.exec(tags[HOLD_TAG] ?? '') ?? [];
  const at = Date.parse(instant);
  return Number.isNaN(at) ? undefined : { at, ...(by !== undefined && { by }), reason };
}

/** Since when a secret is on hold: setting it changed the secret, and who changes it later makes the hold no younger, if its tag tells. */
export const holdSince = (secret: Pick<Secret, 'tags' | 'changedAt'>): number =>
  Math.min(secret.changedAt, holdOrigin(secret)?.at ?? Number.POSITIVE_INFINITY);

/** A hold in words, with the command that releases it: who takes its traces off by hand gives nothing back. */
export const untilReleased = (hold: Hold) =>
  `on hold (${hold}) until keyturn ${hold === 'deleted' ? 'lift' : 'unfreeze'}`;

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
