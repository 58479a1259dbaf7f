import { createHash } from 'node:crypto';
import type { Permission } from '../management-api/token.ts';
import { MARKER_OPENING } from '../policy/document.ts';
import { formatInstant } from '../time.ts';

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
  /** Id of the secret version that has the string, if it is not the token's id. */
  readonly version?: string;
  /** Id of the token that `revoke` replaced by this one. A repeated `revoke` finds its successor by it. */
  readonly replaces?: string;
  /** Somebody asked for this rotation, so it is resumed even if the current token is not due. */
  readonly forced?: true;
  readonly superseded?: number;
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
  /** Fields of a newer version, `name=value` as they are written: its tokens are ours too. */
  readonly others?: readonly string[];
}

const MARKER = /^(?:([\s\S]*) )?\[keyturn:1((?: [a-z]+=[^\s\]]*)+)\]$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const INSTANTS = [
  'superseded',
  'fenced',
  'quarantined',
  'frozen',
  'adopted',
  'proving',
  'proven',
] as const;
const TEXTS = ['owner', 'secret', 'home', 'id', 'fp', 'grants', 'version', 'replaces'] as const;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** First 8 hex digits of SHA-256 of a secret's ARN, which names account and Region. */
export const homeOf = (secretArn: string) => sha256(secretArn).slice(0, 8);

const permissionText = ({ action, resource }: Permission) =>
  `${encodeURIComponent(action)}:${encodeURIComponent(resource)}`;

/** First 8 hex digits of a hash that is equal for equal permissions, in any order. */
export const grantsHash = (permissions: readonly Permission[]) =>
  sha256(permissions.map(permissionText).sort().join(',')).slice(0, 8);

/** Whether a text contains a marker, or the beginning of one. */
export const isMarked = (text: string) => text.includes(MARKER_OPENING);

function* fields(marker: Marker): Generator<string> {
  for (const key of TEXTS) {
    const value = marker[key];
    if (value !== undefined)
      yield `${key}=${encodeURI(value).replace(/[\][]/g, encodeURIComponent)}`;
  }
  if (marker.forced) yield 'forced=yes';
  for (const key of INSTANTS) {
    const instant = marker[key];
    if (instant !== undefined) yield `${key}=${formatInstant(instant)}`;
  }
  if (marker.was) yield `was=${marker.was.map(permissionText).sort().join(',')}`;
  yield* marker.others ?? [];
}

/** The description of a token: text for people, then the marker. */
export function describeToken(text: string, marker: Marker): string {
  return `${text ? `${text} ` : ''}[keyturn:1 ${[...fields(marker)].join(' ')}]`;
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

const isOneOf = <Key extends string>(keys: readonly Key[], key: string): key is Key =>
  keys.some((each) => each === key);

const isKnown = (key: string) =>
  isOneOf(TEXTS, key) || isOneOf(INSTANTS, key) || key === 'forced' || key === 'was';

/** The value of a known field; undefined: it cannot be read. */
function parseField(key: string, value: string): unknown {
  if (isOneOf(TEXTS, key)) return decodeURIComponent(value);
  if (key === 'forced') return value === 'yes' || undefined;
  if (key === 'was') return parseWas(value);
  const instant = INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? undefined : instant;
}

function parseFields(body: string): Marker | undefined {
  const marker: Record<string, unknown> = {};
  const seen = new Set<string>();
  const others: string[] = [];
  for (const field of body.trim().split(' ')) {
    const at = field.indexOf('=');
    const key = field.slice(0, at);
    if (seen.has(key)) return undefined;
    seen.add(key);
    if (!isKnown(key)) {
      others.push(field);
      continue;
    }
    const value = parseField(key, field.slice(at + 1));
    if (value === undefined) return undefined;
    marker[key] = value;
  }
  const { owner, secret, home } = marker;
  if (!owner || !secret || !home) return undefined;
  return { ...(marker as unknown as Marker), ...(others.length > 0 && { others }) };
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
