import { describe, expect, test } from 'vitest';
import { parseMarker } from '../../../functions/tokens/marker.ts';
import {
  hasVersion,
  isArmed,
  isExpired,
  isInert,
  isStripped,
  isUnknown,
  leftBehind,
  ownedCurrent,
  ownedPending,
  ownedPrevious,
  pendingHolder,
  provenCurrent,
  stateOf,
  versionTime,
} from '../../../functions/tokens/state.ts';
import {
  armed,
  DAY,
  foreign,
  HOUR,
  id,
  inert,
  type Labels,
  NOW,
  SECOND,
  secretOf,
  seenIn,
  version,
  WRITE,
} from '../builders.ts';

type Tokens = ReturnType<typeof armed>[];

const seen = (labels: Labels, ...tokens: Tokens) => seenIn({ secrets: [secretOf(labels)], tokens });

test('takes a current token for proven that is live, armed and unexpired', () => {
  const proven = (token?: ReturnType<typeof armed>) =>
    provenCurrent(seen({ AWSCURRENT: 1 }, ...(token ? [token] : [])), NOW)?.token.id;
  expect(proven(armed(1))).toBe(id(1));
  expect(proven(armed(1, { expiresAt: NOW + SECOND }))).toBe(id(1));
  expect(proven(armed(1, { expiresAt: NOW }))).toBeUndefined();
  expect(proven(armed(1, { permissions: [] }))).toBeUndefined();
  expect(proven(inert(1))).toBeUndefined();
  expect(proven(foreign(1))).toBeUndefined();
  expect(proven()).toBeUndefined();
});

test('takes for proven what the version or the marker names, and not what only the string tells', () => {
  const saved = id(70);
  const secrets = [secretOf({ AWSCURRENT: saved })];
  const proven = (token: ReturnType<typeof armed>) =>
    provenCurrent(seenIn({ secrets, tokens: [token], strings: { [saved]: 1 } }), NOW)?.token.id;
  expect(proven(armed(1))).toBeUndefined();
  expect(proven(armed(1, { marker: { version: [saved] } }))).toBe(id(1));
  expect(proven(armed(1, { marker: { minted: saved } }))).toBe(id(1));
});

test('takes an adopted token for proven once it was seen that the string is its own', () => {
  const proven = (marker: object) =>
    provenCurrent(seen({ AWSCURRENT: 1 }, armed(1, { marker })), NOW)?.token.id;
  expect(proven({ adopted: NOW - DAY })).toBeUndefined();
  expect(proven({ adopted: NOW - DAY, proven: NOW - HOUR })).toBe(id(1));
});

test('takes for pending what bears AWSPENDING alone and was not retired', () => {
  const state = (labels: Labels, token = armed(2)) =>
    pendingHolder(seen(labels, armed(1), token))?.state;
  expect(state({ AWSCURRENT: 1, AWSPENDING: 2 })).toBe('owned');
  expect(state({ AWSCURRENT: 1, AWSPENDING: 3 })).toBe('gone');
  expect(state({ AWSCURRENT: 1, AWSPENDING: id(70) })).toBe('unknown');
  expect(state({ AWSCURRENT: 1, AWSPENDING: 2 }, foreign(2))).toBe('foreign');
  expect(state({ AWSCURRENT: 2, AWSPENDING: 2 })).toBeUndefined();
  expect(state({ AWSCURRENT: 1, AWSPREVIOUS: 2, AWSPENDING: 2 })).toBeUndefined();
  expect(state({ AWSCURRENT: 1 })).toBeUndefined();
  for (const marker of [{ superseded: NOW }, { quarantined: NOW }]) {
    expect(state({ AWSCURRENT: 1, AWSPENDING: 2 }, armed(2, { marker }))).toBeUndefined();
  }
});

test('never takes a token without an expiry for expired', () => {
  const { expiresAt: _, ...immortal } = armed(1);
  expect(isExpired(immortal, Number.MAX_SAFE_INTEGER)).toBe(false);
});

test('finds the tokens under the three labels, and nobody under none', () => {
  const labels = { AWSCURRENT: 1, AWSPREVIOUS: 2, AWSPENDING: 3 };
  const all = seen(labels, armed(1), armed(2), armed(3));
  const found = [ownedCurrent(all), ownedPrevious(all), ownedPending(all)];
  expect(found.map((owned) => owned?.token.id)).toEqual([id(1), id(2), id(3)]);
  const none = seen({}, armed(1));
  expect([ownedCurrent(none), ownedPrevious(none), ownedPending(none)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('knows nobody under a label whose string is no token of this secret', () => {
  const previous = (strings: Record<string, number | 'empty'>, ...tokens: Tokens) => {
    const secret = secretOf({ AWSCURRENT: 1, AWSPREVIOUS: id(70) });
    const other = secretOf({}, { name: 'keyturn/prod/grafana' });
    return isUnknown(seenIn({ secrets: [secret, other], tokens, strings }), 'AWSPREVIOUS');
  };
  expect(previous({})).toBe(true);
  expect(previous({ [id(70)]: 'empty' }, armed(1))).toBe(true);
  expect(previous({ [id(70)]: 5 }, armed(5, { name: 'keyturn/prod/grafana' }))).toBe(true);
  expect(previous({ [id(70)]: 1 }, armed(1))).toBe(false);
  const [gone, others] = [seen({ AWSCURRENT: 1 }), seen({ AWSCURRENT: 1 }, foreign(1))];
  expect([isUnknown(gone, 'AWSCURRENT'), isUnknown(others, 'AWSCURRENT')]).toEqual([false, false]);
  expect(isUnknown(gone, 'AWSPREVIOUS')).toBe(false);
});

test('tells a token that was never armed by its lack of grants, and not by its fingerprint', () => {
  // Secrets Manager's own rotation writes `fp` before it puts the string.
  const minted = inert(1, { marker: { fp: '0123456789abcdef', minted: id(70) } });
  const states = (token: ReturnType<typeof armed>) => {
    const { tokens } = seen({}, token);
    return tokens.map((owned) => [isInert(owned), isArmed(owned), isStripped(owned)]);
  };
  expect(states(minted)).toEqual([[true, false, false]]);
  expect(states(armed(1))).toEqual([[false, true, false]]);
  expect(states(armed(1, { permissions: [] }))).toEqual([[false, false, true]]);
  expect(states(inert(1, { permissions: WRITE }))).toEqual([[false, false, false]]);
});

test('believes what was seen under a label before what an id or a marker says', () => {
  const shown = seenIn({
    secrets: [secretOf({ AWSCURRENT: id(70) })],
    tokens: [armed(1), armed(2, { marker: { version: [id(71)] } })],
    strings: { [id(70)]: 1 },
  });
  const has = (n: number, versionId: string) =>
    shown.tokens.some((each) => each.token.id === id(n) && hasVersion(shown, each, versionId));
  expect([has(1, id(70)), has(2, id(70)), has(2, id(71)), has(1, version(1))]).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

test('counts the age of a version from its making, or, where it is not listed, from the last change', () => {
  const secrets = [secretOf({ AWSCURRENT: id(70) }, { changedAt: NOW - HOUR })];
  const since = (versionTimes?: Record<string, number>) =>
    versionTime(seenIn({ secrets, ...(versionTimes && { versionTimes }) }), id(70));
  expect(since({ [id(70)]: NOW - DAY })).toBe(NOW - DAY);
  expect(since({ [id(71)]: NOW - DAY })).toBe(NOW - HOUR);
  expect(since()).toBeUndefined();
});

const gone = { permissions: [] };
const since = NOW - HOUR;

test.each([
  ['revoked', { ...armed(1), revokedAt: NOW }],
  ['expired', armed(1, { expiresAt: NOW })],
  ['frozen', armed(1, { ...gone, marker: { frozen: since, quarantined: since } })],
  ['quarantined', armed(1, { ...gone, marker: { quarantined: since } })],
  ['inert', inert(1)],
  ['stripped', armed(1, gone)],
  ['stripped', foreign(1, gone)],
  // Half of a request left its mark: it works all the same.
  ['live', armed(1, { marker: { frozen: since } })],
  ['live', armed(1, { marker: { quarantined: since } })],
  ['live', foreign(1)],
  ['superseded', armed(1, { marker: { superseded: since } })],
] as const)('tells of a token in one word how it is: %s', (state, token) => {
  const marker = parseMarker(token.description)?.marker;
  expect(stateOf({ token, marker }, NOW)).toBe(state);
});

test('a label tells more of a token that works than its marker', () => {
  const token = armed(1, { marker: { superseded: since } });
  const { marker } = parseMarker(token.description) ?? {};
  expect(stateOf({ token, marker, label: 'current' }, NOW)).toBe('current');
  expect(stateOf({ token: inert(2), label: 'current' }, NOW)).toBe('stripped');
});

describe('what a person left behind is a token that consumers have had', () => {
  const old = { age: 3 * DAY };
  const left = (labels: Labels, ...tokens: Tokens) =>
    leftBehind(seen(labels, ...tokens)).map(({ token }) => token.id);

  test('and that has no label and no grace period', () => {
    expect(left({ AWSCURRENT: 2 }, armed(1, old), armed(2, old))).toEqual([id(1)]);
    const superseded = armed(1, { ...old, marker: { superseded: NOW } });
    expect(left({ AWSCURRENT: 2 }, superseded, armed(2, old))).toEqual([]);
  });

  test('and not what waits, or lost, or is not ours', () => {
    const waiting = armed(1, { ...old, waits: true });
    expect(left({ AWSCURRENT: 2, AWSPENDING: 1 }, waiting, armed(2, old))).toEqual([]);
    const others = [waiting, inert(3, old), foreign(4), armed(2, old)];
    expect(left({ AWSCURRENT: 2 }, ...others)).toEqual([]);
  });

  test('and not what was promoted behind the labels that were read', () => {
    expect(left({ AWSCURRENT: 2 }, armed(1, { age: HOUR }), armed(2, old))).toEqual([]);
  });

  test('while it is known what AWSCURRENT has, or is about to have', () => {
    const unknown = seenIn({
      secrets: [secretOf({ AWSCURRENT: '1b4e28ba-2fa1-11d2-883f-0016d3cca427' })],
      tokens: [armed(1, old), armed(2, { ...old, waits: true })],
    });
    const next = unknown.tokens[1];
    expect(leftBehind(unknown)).toEqual([]);
    expect(leftBehind(unknown, next).map(({ token }) => token.id)).toEqual([id(1)]);
  });
});
