import { expect, test } from 'vitest';
import { findByFingerprint, knowToken } from '../../../../functions/revocation/plan/known-token.ts';
import {
  armed,
  DAY,
  foreign,
  id,
  inert,
  NOW,
  OWNER,
  policyOf,
  secretOf,
  TELEGRAF,
  WRITE,
} from '../../builders.ts';

const about = { now: NOW, policy: policyOf() };
const secrets = new Map([[TELEGRAF, secretOf({ AWSCURRENT: 1, AWSPENDING: 2 })]]);

test('tells of a token what people ask, from the token alone', () => {
  expect(knowToken(armed(1, { age: DAY, expiresAt: NOW + DAY }), about)).toEqual({
    tokenId: id(1),
    token: 'telegraf',
    secret: TELEGRAF,
    owner: OWNER,
    owned: true,
    description: 'telegraf',
    permissions: WRITE,
    createdAt: '2026-03-01T12:00:00Z',
    expiresAt: '2026-03-03T12:00:00Z',
    state: 'live',
  });
});

test.each([
  ['current', armed(1)],
  ['pending', armed(2)],
  ['live', armed(3)],
  ['superseded', armed(3, { marker: { superseded: NOW } })],
  ['inert', inert(3)],
  ['stripped', armed(1, { permissions: [] })],
  ['frozen', armed(1, { permissions: [], marker: { frozen: NOW } })],
  ['quarantined', armed(1, { permissions: [], marker: { quarantined: NOW } })],
  ['current', armed(1, { marker: { superseded: NOW, quarantined: NOW } })],
  ['superseded', armed(3, { marker: { superseded: NOW, quarantined: NOW } })],
  ['live', armed(3, { marker: { frozen: NOW } })],
  ['expired', armed(1, { expiresAt: NOW })],
  ['revoked', { ...armed(1), revokedAt: NOW }],
])('calls a token %s by its marker and, with AWS, by its label', (state, token) => {
  expect(knowToken(token, { ...about, secrets }).state).toBe(state);
});

test('shows of a frozen token what it could do', () => {
  const token = armed(1, { permissions: [], marker: { frozen: NOW, was: WRITE } });
  expect(knowToken(token, about).permissions).toEqual(WRITE);
});

test('owns no token of others, nor one with a marker copied from another', () => {
  const copy = { ...armed(1), id: id(9) };
  const another = armed(1, { marker: { owner: 'staging' } });
  for (const token of [foreign(7), copy, another]) {
    expect(knowToken(token, about).owned).toBe(false);
    expect(knowToken(token, { ...about, secrets }).owned).toBe(false);
  }
});

test('owns a token of another home only as long as nobody asked AWS', () => {
  const elsewhere = armed(1, { marker: { home: '00000000' } });
  expect(knowToken(elsewhere, about).owned).toBe(true);
  expect(knowToken(elsewhere, { ...about, secrets }).owned).toBe(false);
});

test('finds every token that bears the fingerprint of a string', () => {
  const tokens = [armed(1), armed(2, { marker: { fp: 'fedcba9876543210' } }), inert(3), foreign(4)];
  expect(findByFingerprint(tokens, 'fedcba9876543210')).toEqual([tokens[1]]);
  expect(findByFingerprint(tokens, '0000000000000000')).toEqual([]);
});
