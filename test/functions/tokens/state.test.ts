import { expect, test } from 'vitest';
import { isExpired, pendingHolder, provenCurrent } from '../../../functions/tokens/state.ts';
import {
  armed,
  foreign,
  id,
  inert,
  NOW,
  observationOf,
  SECOND,
  secretOf,
  TELEGRAF,
} from '../builders.ts';

function seen(labels: Record<string, number>, ...tokens: ReturnType<typeof armed>[]) {
  const found = observationOf({ secrets: [secretOf(labels)], tokens }).secrets.get(TELEGRAF);
  if (!found) throw new Error('no secret');
  return found;
}

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

test('takes for pending what bears AWSPENDING alone and was not retired', () => {
  const state = (labels: Record<string, number>, token = armed(2)) =>
    pendingHolder(seen(labels, armed(1), token))?.state;
  expect(state({ AWSCURRENT: 1, AWSPENDING: 2 })).toBe('owned');
  expect(state({ AWSCURRENT: 1, AWSPENDING: 3 })).toBe('gone');
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
