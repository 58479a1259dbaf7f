import { expect, test } from 'vitest';
import type { Permission, Token } from '../../../functions/management-api/token.ts';
import { endProof } from '../../../functions/tokens/end-proof.ts';
import { describeToken, grantsHash, type Marker } from '../../../functions/tokens/marker.ts';
import { isProofOverdue, isUnproven, overdueProofs } from '../../../functions/tokens/proof.ts';
import { foreign, HOUR, id, MINUTE, NOW, OWNER, WRITE } from '../builders.ts';

const READ = { action: 'read', resource: 'telemetry' };
const OTHER = { action: 'read', resource: 'quality' };
const base = { owner: OWNER, secret: 'team/x', home: '0a1b2c3d', id: id(1) };
const ofProof = { ...base, version: ['v'], grants: grantsHash(WRITE), proving: NOW };

const tokenWith = (
  marker: Marker | undefined,
  permissions: readonly Permission[],
  text = 'by hand',
): Token => foreign(1, { description: marker ? describeToken(text, marker) : text, permissions });

/** What is left of a token after its proof was ended, by an API that has this one token. */
async function ended(token: Token | undefined, given?: Permission) {
  let now = token;
  const api = {
    getToken: () => Promise.resolve(now),
    updateToken: (_id: string, change: Partial<Token>) => {
      now = { ...foreign(1), ...now, ...change };
      return Promise.resolve(now);
    },
  };
  const tools = { api } as unknown as Parameters<typeof endProof>[1];
  const result = await endProof({ token: { id: id(1) } }, tools, given);
  return { result, description: now?.description, permissions: now?.permissions };
}

test('takes away the permission that was given, and the marker that only the proof wrote', async () => {
  expect(await ended(tokenWith(ofProof, [...WRITE, READ]))).toEqual({
    result: 'done',
    description: 'by hand',
    permissions: WRITE,
  });
  expect(await ended(tokenWith(ofProof, [READ, ...WRITE], ''))).toMatchObject({ description: '' });
});

test('keeps what people gave meanwhile, because nobody knows then which one the proof gave', async () => {
  const permissions = [...WRITE, READ, OTHER];
  expect(await ended(tokenWith(ofProof, permissions))).toEqual({
    result: 'done',
    description: 'by hand',
    permissions,
  });
  expect(await ended(tokenWith(ofProof, permissions), READ)).toMatchObject({
    permissions: [...WRITE, OTHER],
  });
});

test('a token that was frozen meanwhile stays frozen, and gets nothing more when that is undone', async () => {
  const frozen = { ...ofProof, frozen: NOW, was: [READ, ...WRITE] };
  // Nor the version, whose string was not shown to be its own.
  const { proving, was, version, ...kept } = { ...frozen };
  expect(await ended(tokenWith(frozen, []), READ)).toEqual({
    result: 'done',
    description: describeToken('by hand', { ...kept, was: WRITE }),
    permissions: [],
  });
});

test('a token that was adopted before keeps its marker', async () => {
  const adopted = { ...base, fp: '0123456789abcdef', grants: grantsHash(WRITE), adopted: NOW };
  expect(await ended(tokenWith({ ...adopted, proving: NOW }, [...WRITE, READ]))).toEqual({
    result: 'done',
    description: describeToken('by hand', adopted),
    permissions: WRITE,
  });
});

test.each([
  ['is gone', undefined],
  ['is revoked', { ...tokenWith(ofProof, [...WRITE, READ]), revokedAt: NOW }],
  ['has no proof', tokenWith({ ...base, grants: grantsHash(WRITE) }, [...WRITE, READ])],
  ['has no marker', tokenWith(undefined, [...WRITE, READ])],
])('changes nothing if the token %s', async (_what, token) => {
  expect(await ended(token)).toEqual({
    result: 'skipped',
    description: token?.description,
    permissions: token?.permissions,
  });
});

test('a proof is overdue after an hour, whoever owns the secret by then', () => {
  expect(isProofOverdue({ marker: ofProof }, NOW + HOUR - MINUTE)).toBe(false);
  expect(isProofOverdue({ marker: ofProof }, NOW + HOUR)).toBe(true);
  expect(isProofOverdue({ marker: base }, NOW + HOUR)).toBe(false);
  const overdue = tokenWith(ofProof, [...WRITE, READ]);
  const tokens = [
    overdue,
    tokenWith({ ...ofProof, owner: 'other' }, WRITE),
    tokenWith({ ...ofProof, proving: NOW + HOUR }, WRITE),
    { ...overdue, revokedAt: NOW },
    tokenWith(undefined, WRITE),
  ];
  expect(overdueProofs(tokens, OWNER, NOW + HOUR)).toEqual([overdue]);
});

test('what was taken over is unproven until it is proven', () => {
  expect(isUnproven({ ...base, adopted: NOW })).toBe(true);
  expect(isUnproven(ofProof)).toBe(true);
  expect(isUnproven({ ...base, adopted: NOW, proven: NOW })).toBe(false);
  expect(isUnproven(base)).toBe(false);
});
