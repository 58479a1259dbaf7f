import { expect, test } from 'vitest';
import type { ManagementApi } from '../../../functions/management-api/management-api.ts';
import { readingOwnWrites } from '../../../functions/management-api/reading-own-writes.ts';
import type { Token } from '../../../functions/management-api/token.ts';
import { armed, id, inert, NOW } from '../builders.ts';

/** An API whose reads show what a test says, and whose writes take effect somewhere else. */
function lagging(shown: Token) {
  const state = { shown: shown as Token | undefined, real: shown };
  const api = {
    listTokens: () => Promise.resolve({ tokens: state.shown ? [state.shown] : [], at: NOW }),
    getToken: () => Promise.resolve(state.shown),
    updateToken: (_id: string, change: Partial<Token>) => {
      state.real = { ...state.real, ...change };
      return Promise.resolve(state.real);
    },
    createToken: () => Promise.resolve({ token: state.real }),
    deleteToken: () => Promise.resolve(),
  } as unknown as ManagementApi;
  return { api: readingOwnWrites(api), state };
}

test('a read that shows a token as it was before this run wrote it is not believed', async () => {
  const { api } = lagging(inert(1));
  await api.listTokens();
  const { permissions, description } = armed(1);
  await api.updateToken(id(1), { permissions });
  const wrote = await api.updateToken(id(1), { description });
  expect(await api.getToken(id(1))).toEqual(wrote);
});

test('what somebody else changed since is believed', async () => {
  const { api, state } = lagging(inert(1));
  await api.getToken(id(1));
  await api.updateToken(id(1), armed(1));
  const stripped = { ...armed(1), permissions: [] };
  state.shown = stripped;
  expect(await api.getToken(id(1))).toEqual(stripped);
});

test('a token that is revoked or gone is believed to be', async () => {
  const { api, state } = lagging(inert(1));
  await api.getToken(id(1));
  await api.updateToken(id(1), armed(1));
  state.shown = { ...inert(1), revokedAt: NOW };
  expect(await api.getToken(id(1))).toEqual(state.shown);
  state.shown = undefined;
  expect(await api.getToken(id(1))).toBeUndefined();
});

test('a listing has what this run wrote as it left it, and says which the API showed otherwise', async () => {
  const { api, state } = lagging(inert(1));
  expect((await api.listTokens()).late.size).toBe(0);
  const wrote = await api.updateToken(id(1), armed(1));
  expect(await api.listTokens()).toEqual({ tokens: [wrote], at: NOW, late: new Set([id(1)]) });
  expect(await api.isLate(id(1))).toBe(true);
  state.shown = wrote;
  expect(await api.listTokens()).toEqual({ tokens: [wrote], at: NOW, late: new Set() });
  await api.deleteToken(id(1));
  expect(await api.listTokens()).toEqual({ tokens: [], at: NOW, late: new Set([id(1)]) });
  expect(await api.getToken(id(1))).toBeUndefined();
  state.shown = undefined;
  expect(await api.isLate(id(1))).toBe(false);
});

test('a listing has a token that this run minted before the API shows it', async () => {
  const { api, state } = lagging(inert(1));
  state.shown = undefined;
  await api.createToken(inert(1));
  const wrote = await api.updateToken(id(1), armed(1));
  expect(await api.listTokens()).toEqual({ tokens: [wrote], at: NOW, late: new Set([id(1)]) });
  expect(await api.isLate(id(1))).toBe(true);
  state.shown = inert(1);
  expect(await api.getToken(id(1))).toEqual(wrote);
});
