import type { ManagementApi, OwnWritesApi } from './management-api.ts';
import type { Token } from './token.ts';

/** What may be changed of a token, in one spelling. */
function stateOf({ description, permissions }: Token): string {
  const granted = permissions.map(({ action, resource }) => JSON.stringify([action, resource]));
  return JSON.stringify([description, granted.sort()]);
}

/** A token as this run left it, and every state in which this run saw it before. */
interface Written {
  /** Undefined: it was deleted. */
  readonly token?: Token;
  readonly before: ReadonlySet<string>;
  /** This run minted it, so that a read which lacks it is out of date. */
  readonly isNew: boolean;
}

/**
 * Reads of the Management API may lag behind its writes, and a description is written as a whole: whoever
 * starts from a stale one takes away what was written since. Within one run a token never goes back in time:
 * if a read shows it as it was before this run wrote it, the answer to the write is what counts. Any other
 * difference is somebody else's change, and newer. A `GET` of a minted token that finds none says so all the same:
 * it may be gone.
 */
export function readingOwnWrites(api: ManagementApi): OwnWritesApi {
  /** Of a hundred thousand that are listed, few are written: their states are told only then. */
  const seen = new Map<string, Token | Token[]>();
  const written = new Map<string, Written>();

  const seenOf = (id: string): readonly Token[] => [seen.get(id) ?? []].flat();
  const isSeen = (token: Token): boolean => {
    const state = stateOf(token);
    return seenOf(token.id).some((each) => stateOf(each) === state);
  };
  const note = (token: Token) => {
    const { id } = token;
    if (!seen.has(id)) seen.set(id, token);
    else if (!isSeen(token)) seen.set(id, [...seenOf(id), token]);
  };

  const isStale = (id: string, shown: Token | undefined): boolean => {
    const last = written.get(id);
    if (!last) return false;
    if (!shown) return last.isNew;
    return shown.revokedAt === undefined && (!last.token || last.before.has(stateOf(shown)));
  };

  return {
    ...api,
    async listTokens() {
      const { tokens, at } = await api.listTokens();
      const unlisted = new Map([...written].filter(([, { isNew }]) => isNew));
      const late = new Set<string>();
      const shown: Token[] = [];
      for (const token of tokens) {
        unlisted.delete(token.id);
        const isLate = isStale(token.id, token);
        if (isLate) late.add(token.id);
        else note(token);
        const last = isLate ? written.get(token.id)?.token : token;
        if (last) shown.push(last);
      }
      for (const [id, { token }] of unlisted) {
        late.add(id);
        if (token) shown.push(token);
      }
      return { tokens: shown, at, late };
    },
    async getToken(id) {
      const token = await api.getToken(id);
      if (token && isStale(id, token)) return written.get(id)?.token;
      if (token) note(token);
      return token;
    },
    isLate: async (id) => isStale(id, await api.getToken(id)),
    async createToken(wanted) {
      const minted = await api.createToken(wanted);
      const { token } = minted;
      written.set(token.id, { token, before: new Set(), isNew: true });
      note(token);
      return minted;
    },
    async updateToken(id, change) {
      const token = await api.updateToken(id, change);
      const state = stateOf(token);
      const before = new Set(seenOf(id).map(stateOf));
      before.delete(state);
      written.set(id, { token, before, isNew: written.get(id)?.isNew ?? false });
      note(token);
      return token;
    },
    async deleteToken(id, signal) {
      await api.deleteToken(id, signal);
      written.set(id, { before: new Set(), isNew: false });
    },
  };
}
