import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  HOLD_TAG,
  holdOf,
  isOfAnotherCluster,
  pendingVersion,
} from '../../../functions/secrets-manager/secret.ts';
import { TokenValue } from '../../../functions/token-value.ts';
import { isExpired, pendingHolder, provenCurrent } from '../../../functions/tokens/observation.ts';
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
  URL,
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

test('reads a hold from its tag, and any unknown value as a wish to stop', () => {
  const hold = (value?: string) =>
    holdOf({ tags: value === undefined ? {} : { [HOLD_TAG]: value } });
  expect([hold(), hold('frozen'), hold('deleted'), hold('yes'), hold('')]).toEqual([
    undefined,
    'frozen',
    'deleted',
    'frozen',
    'frozen',
  ]);
});

test('tells the cluster of a secret from another, and takes an untagged one for ours', () => {
  expect(isOfAnotherCluster(secretOf(), URL)).toBe(false);
  expect(isOfAnotherCluster(secretOf(), 'https://other.example.com')).toBe(true);
  expect(isOfAnotherCluster(secretOf({}, { tags: {} }), URL)).toBe(false);
  expect(pendingVersion(secretOf({ AWSPENDING: 2 }))).toBe(id(2));
});

test('prints a token value nowhere', () => {
  const value = new TokenValue('apiv1_secret');
  const error = new Error('failed', { cause: value });
  const shown = [
    `${value}`,
    String(value),
    JSON.stringify({ value }),
    inspect({ value }, { showHidden: true, depth: 9 }),
    inspect(error, { showHidden: true, depth: 9 }),
    JSON.stringify(Object.entries(value)),
  ].join();
  expect(shown).not.toContain('apiv1_secret');
  expect(shown).toContain('[token]');
  expect(value.reveal()).toBe('apiv1_secret');
  expect(value.fingerprint()).toBe('51b7e40d2632661c');
});
