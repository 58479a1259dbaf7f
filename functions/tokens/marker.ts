import { createHash } from 'node:crypto';
import type { Permission } from '../management-api/token.ts';
import { MARKER_OPENING } from '../policy/document.ts';
import { formatInstant } from '../time.ts';

/**
 * What Keyturn knows of one of its tokens, kept at the end of the token's description, because
 * nothing else survives a crash together with the token: `text [keyturn:1 owner=prod secret=… …]`.
 * Instants are milliseconds since 1970 and are written as whole seconds, UTC.
 */
export interface Marker {
  readonly owner: string;
  /** Name of the secret that holds the token's string. */
  readonly secret: string;
  /** First 8 hex digits of SHA-256 of that secret's ARN. */
  readonly home: string;
  /** The token's own id: a marker copied to another token does not match. Since arming. */
  readonly id?: string;
  /** `TokenValue.fingerprint()` of the token's string. Since arming. */
  readonly fp?: string;
  /** `grantsHash` of the permissions that Keyturn gave. */
  readonly grants?: string;
  /** The secret version that holds the string, where its id is not the token's. */
  readonly version?: string;
  /** Minted by `revoke` in place of that token; what to a repeated `revoke` is its own successor. */
  readonly replaces?: string;
  /** Somebody asked for this rotation, so it is resumed though the current token is not due. */
  readonly forced?: true;
  readonly superseded?: number;
  readonly fenced?: number;
  readonly quarantined?: number;
  readonly frozen?: number;
  /** Taken over then: its rotation is due from then on, not from its minting. */
  readonly adopted?: number;
  /** The permissions taken away, so that undoing needs nothing else. */
  readonly was?: readonly Permission[];
}

const MARKER = /^(?:([\s\S]*) )?\[keyturn:1((?: [a-z]+=[^\s\]]*)+)\]$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const INSTANTS = ['superseded', 'fenced', 'quarantined', 'frozen', 'adopted'] as const;
const TEXTS = ['owner', 'secret', 'home', 'id', 'fp', 'grants', 'version', 'replaces'] as const;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export const homeOf = (secretArn: string) => sha256(secretArn).slice(0, 8);

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const permissionText = ({ action, resource }: Permission) =>
  `${encodeURIComponent(action)}:${encodeURIComponent(resource)}`;

/** Tells whether two sets of permissions are the same, whatever their order. */
export const grantsHash = (permissions: readonly Permission[]) =>
  sha256(permissions.map(permissionText).sort(byText).join(',')).slice(0, 8);

/** Whether a text bears a marker, or what could be taken for one. */
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
  if (marker.was) yield `was=${marker.was.map(permissionText).sort(byText).join(',')}`;
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

function parseField(key: string, value: string): unknown {
  if (TEXTS.some((each) => each === key)) return decodeURIComponent(value);
  if (key === 'forced') return value === 'yes' || undefined;
  if (key === 'was') return parseWas(value);
  if (!INSTANTS.some((each) => each === key)) return undefined;
  const instant = INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? undefined : instant;
}

function parseFields(body: string): Marker | undefined {
  const marker: Record<string, unknown> = {};
  for (const field of body.trim().split(' ')) {
    const at = field.indexOf('=');
    const key = field.slice(0, at);
    const value = parseField(key, field.slice(at + 1));
    if (value === undefined || key in marker) return undefined;
    marker[key] = value;
  }
  const { owner, secret, home } = marker;
  return owner && secret && home ? (marker as unknown as Marker) : undefined;
}

/**
 * The marker of a description and the text before it; undefined where there is none that parses
 * whole. An unknown field or a half-readable one makes the token foreign, never guessed at.
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

/** Whether a description is marked by another deployment, or by nobody can say whom. */
export const isMarkedByOthers = (description: string, owner: string) =>
  isMarked(description) && parseMarker(description)?.marker.owner !== owner;
