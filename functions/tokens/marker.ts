import { hash } from 'node:crypto';
import type { Permission } from '../management-api/token.ts';
import { MARKER_OPENING } from '../policy/names.ts';
import { formatInstant } from '../time.ts';
import { permissionText, sumOf } from './permission-sum.ts';

/**
 * What Keyturn knows about one of its tokens. It is the end of the token's description, because only
 * that is written in one request with the token: `text [keyturn:1 owner=prod secret=… …]`.
 * Instants are milliseconds since 1970 here, and whole seconds, UTC, in the text.
 */
export interface Marker {
  readonly owner: string;
  /** Name of the secret that has the token's string. */
  readonly secret: string;
  /** First 8 hex digits of SHA-256 of that secret's ARN. */
  readonly home: string;
  /** The token's own id: a marker that was copied to another token does not match. Set by arming. */
  readonly id?: string;
  /** `TokenValue.fingerprint()` of the token's string. Set by arming. */
  readonly fp?: string;
  /** `grantsHash` of the permissions that Keyturn gave. */
  readonly grants?: string;
  /** When it was armed, or got a permission that is new: promotion waits from then. */
  readonly armed?: number;
  /** Id of the version that Secrets Manager's own rotation made for it. Set by minting. */
  readonly minted?: string;
  /** Ids of labelled versions that have the string, and whose ids do not say so; at most three. */
  readonly version?: readonly string[];
  /** Id of the token that `revoke` replaced by this one. A repeated `revoke` finds its successor by it. */
  readonly replaces?: string;
  /** Hash of the order by which `revoke` minted it. */
  readonly order?: string;
  /** Hash of the ARN of another secret of ours that was seen to have its string. */
  readonly shared?: string;
  /** Somebody asked for this rotation, so it is resumed even if the current token is not due. */
  readonly forced?: true;
  /** When somebody asked for this rotation again, or later than it was minted. */
  readonly asked?: number;
  /** Since when consumers may have it without that it was seen accepted. A secret's first token bears it from its arming on. Of one that waits: when it was refused after `settle`. */
  readonly refused?: number;
  /** When a rotation gave it AWSCURRENT: consumers have had it, so nothing promotes it again, whatever labels it has lost. */
  readonly promoted?: number;
  readonly superseded?: number;
  /** The grace period that was promised with `superseded`, in seconds. */
  readonly grace?: number;
  readonly fenced?: number;
  readonly quarantined?: number;
  readonly frozen?: number;
  /** When the token was adopted: `rotateEvery` counts from then, not from its minting. */
  readonly adopted?: number;
  /** Since when it has the permission that was given to prove its adoption. */
  readonly proving?: number;
  /** When the adopted string was seen to be this token's. */
  readonly proven?: number;
  /** The permissions that were taken away; undoing needs nothing else. */
  readonly was?: readonly Permission[];
  /** `sumOf` the permissions that were taken away, not all of which a description had room for. */
  readonly had?: string;
  /** Filler of a description that shows, before anything depends on it, that the server takes a long one. */
  readonly room?: string;
  /** Fields of a newer version, `name=value` as they are written: its tokens are ours too. */
  readonly others?: readonly string[];
}

const MARKER = /^(?:([\s\S]*) )?\[keyturn:1((?: [a-z]+=[^\s\]]*)+)\]$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const BASE_36 = /^[0-9a-z]{6,7}$/;
const SECONDS = /^\d{1,10}$/;
const INSTANTS = [
  'armed',
  'asked',
  'refused',
  'promoted',
  'superseded',
  'fenced',
  'quarantined',
  'frozen',
  'adopted',
  'proving',
  'proven',
] as const;
const TEXTS = [
  'owner',
  'secret',
  'home',
  'id',
  'fp',
  'grants',
  'had',
  'minted',
  'replaces',
  'order',
  'shared',
  'room',
] as const;
/** Fields that are written in a form of their own. */
const OTHERS = ['version', 'forced', 'grace', 'was'] as const;

type Field = (typeof TEXTS)[number] | (typeof INSTANTS)[number] | (typeof OTHERS)[number];

/** The names in a marker for a server that takes no longer description. */
const SHORT: Readonly<Record<Field, string>> = {
  owner: 'o',
  secret: 's',
  home: 'h',
  id: 'i',
  fp: 'f',
  grants: 'g',
  armed: 'a',
  asked: 'n',
  refused: 'j',
  promoted: 'l',
  minted: 'm',
  version: 'v',
  replaces: 'r',
  order: 'd',
  shared: 'z',
  forced: 'c',
  superseded: 'u',
  grace: 'k',
  fenced: 'e',
  quarantined: 'q',
  frozen: 'y',
  adopted: 't',
  proving: 'b',
  proven: 'p',
  room: 'x',
  was: 'w',
  had: 'wh',
};
const BY_NAME: ReadonlyMap<string, Field> = new Map(
  Object.entries(SHORT).flatMap(([field, short]) => [
    [field, field as Field],
    [short, field as Field],
  ]),
);

const sha256 = (text: string) => hash('sha256', text, 'hex');

/** First 8 hex digits of SHA-256 of a secret's ARN, which names account and Region. */
export const homeOf = (secretArn: string) => sha256(secretArn).slice(0, 8);

/** `grantsHash` of permissions whose texts are sorted. */
export const hashOfTexts = (sorted: readonly string[]) => sha256(sorted.join(',')).slice(0, 8);

/** First 8 hex digits of a hash that is equal for equal permissions, in any order. */
export const grantsHash = (permissions: readonly Permission[]) =>
  hashOfTexts(permissions.map(permissionText).sort());

/** Whether a text contains a marker, or the beginning of one. */
export const isMarked = (text: string) => text.includes(MARKER_OPENING);

const escaped = (text: string) => encodeURI(text).replace(/[\][]/g, encodeURIComponent);

interface Spelling {
  readonly nameOf: (field: Field) => string;
  readonly instant: (instant: number) => string;
}

const LONG: Spelling = { nameOf: (field) => field, instant: formatInstant };
const BRIEF: Spelling = {
  nameOf: (field) => SHORT[field],
  instant: (instant) => Math.floor(instant / 1_000).toString(36),
};

function* fields(marker: Marker, { nameOf, instant }: Spelling): Generator<string> {
  for (const key of TEXTS) {
    const value = marker[key];
    if (value !== undefined) yield `${nameOf(key)}=${escaped(value)}`;
  }
  const { version = [], forced, grace, was, others = [] } = marker;
  if (version.length > 0) {
    yield `${nameOf('version')}=${version.map((id) => escaped(id).replaceAll(',', '%2C')).join(',')}`;
  }
  if (forced) yield `${nameOf('forced')}=yes`;
  if (grace !== undefined) yield `${nameOf('grace')}=${grace}`;
  for (const key of INSTANTS) {
    const at = marker[key];
    if (at !== undefined) yield `${nameOf(key)}=${instant(at)}`;
  }
  if (was) yield `${nameOf('was')}=${was.map(permissionText).sort().join(',')}`;
  yield* others;
}

const describe = (text: string, marker: Marker, spelling: Spelling) =>
  `${text ? `${text} ` : ''}[keyturn:1 ${[...fields(marker, spelling)].join(' ')}]`;

/** The description of a token: text for people, then the marker. */
export const describeToken = (text: string, marker: Marker): string => describe(text, marker, LONG);

/**
 * A marker without what only answers a repeated request, and then without what an older version is known by. The
 * first noted version is the one that matters most, and without any the string would be one that nobody knows.
 */
function* withoutHistory({ asked, replaces, ...marker }: Marker): Generator<Marker> {
  if (asked !== undefined || replaces !== undefined) yield marker;
  const [first, ...older] = marker.version ?? [];
  if (first === undefined) return;
  const { minted, ...kept } = marker;
  if (minted !== undefined || older.length > 0) yield { ...kept, version: [first] };
  const { order, forced, ...least } = kept;
  if (order !== undefined || forced) yield { ...least, version: [first] };
}

/**
 * Descriptions of a token, each shorter than the one before, for a server that refuses a long one (the
 * specification names no limit): without the text for people, without the permissions that were taken
 * away (undoing then takes those of the policy, and a sum tells whether they are all), and with short names.
 */
export function* shorterDescriptions(text: string, marker: Marker): Generator<string> {
  const { was, ...others } = marker;
  const kept = was ? { had: sumOf(was), ...others } : others;
  if (text) yield describe('', marker, LONG);
  if (was) yield describe('', kept, LONG);
  yield describe('', kept, BRIEF);
  if (kept.superseded === undefined && kept.quarantined === undefined) {
    for (const shorter of withoutHistory(kept)) yield describe('', shorter, BRIEF);
    return;
  }
  // What is being retired needs only what tells whose it is and how far it came.
  const { armed, asked, refused, promoted, forced, replaces, order, ...retired } = kept;
  const { version, minted, ...least } = retired;
  yield describe('', { ...least, ...(version && { version }), ...(minted && { minted }) }, BRIEF);
  yield describe('', least, BRIEF);
}

function parseWas(text: string): Permission[] {
  return text
    .split(',')
    .filter(Boolean)
    .map((each) => {
      const [action = '', resource = ''] = each.split(':');
      return { action: decodeURIComponent(action), resource: decodeURIComponent(resource) };
    });
}

const INSTANT_FIELDS: ReadonlySet<Field> = new Set(INSTANTS);

function parseInstant(value: string): number | undefined {
  const seconds = BASE_36.test(value) ? Number.parseInt(value, 36) : undefined;
  const instant = seconds === undefined ? Date.parse(value) : seconds * 1_000;
  return INSTANT.test(value) || seconds !== undefined ? checked(instant) : undefined;
}

const checked = (number: number) => (Number.isNaN(number) ? undefined : number);

const decoded = (value: string) => (value.includes('%') ? decodeURIComponent(value) : value);

/** The value of a known field; undefined: it cannot be read. */
function parseField(key: Field, value: string): unknown {
  if (key === 'forced') return value === 'yes' || undefined;
  if (key === 'was') return parseWas(value);
  if (key === 'version') return value.split(',').map(decoded);
  if (key === 'grace') return SECONDS.test(value) ? Number(value) : undefined;
  return INSTANT_FIELDS.has(key) ? parseInstant(value) : decoded(value);
}

function parseFields(body: string): Marker | undefined {
  const marker: Record<string, unknown> = {};
  const others: string[] = [];
  for (const field of body.trim().split(' ')) {
    const at = field.indexOf('=');
    const key = BY_NAME.get(field.slice(0, at));
    if (!key) {
      const name = field.slice(0, at + 1);
      if (others.some((each) => each.startsWith(name))) return undefined;
      others.push(field);
      continue;
    }
    if (marker[key] !== undefined) return undefined;
    const value = parseField(key, field.slice(at + 1));
    if (value === undefined) return undefined;
    marker[key] = value;
  }
  const { owner, secret, home } = marker;
  if (!owner || !secret || !home) return undefined;
  if (others.length > 0) marker.others = others;
  return marker as unknown as Marker;
}

/**
 * The marker of a description and the text before it. Undefined: there is none, or a part of it cannot
 * be read. Nothing is guessed: a field that cannot be read, or is there twice, makes the token foreign. One
 * that is not known is kept: a newer version beside this one knows it.
 */
export function parseMarker(
  description: string,
): { readonly text: string; readonly marker: Marker } | undefined {
  const match = MARKER.exec(description);
  if (!match || description.indexOf(MARKER_OPENING) !== description.lastIndexOf(MARKER_OPENING))
    return undefined;
  const [, text = '', body = ''] = match;
  try {
    const marker = parseFields(body);
    return marker && { text, marker };
  } catch {
    return undefined; // a broken percent-escape
  }
}

/** Whether a description has the marker of another deployment, or one that cannot be read. */
export const isMarkedByOthers = (description: string, owner: string) =>
  isMarked(description) && parseMarker(description)?.marker.owner !== owner;

/** The marker of another deployment, if it is this token's own and not copied from another one. */
export function markerOfOthers(
  { id, description }: { readonly id: string; readonly description: string },
  owner: string,
): Marker | undefined {
  const { marker } = parseMarker(description) ?? {};
  return marker && marker.owner !== owner && (marker.id ?? id) === id ? marker : undefined;
}

const OWNER_FIELD = /\[keyturn:\d+(?: [^\s\][]+)*? o(?:wner)?=([^\s\]]+)/g;

/** Whether a description says that the token is of this owner, also if its marker cannot be read. */
export function bearsOwner(description: string, owner: string): boolean {
  const parsed = parseMarker(description);
  if (parsed) return parsed.marker.owner === owner;
  return [...description.matchAll(OWNER_FIELD)].some(([, name]) => name === escaped(owner));
}
