import type { ManagementApi } from './management-api.ts';
import type { Token } from './token.ts';

/** What may be changed of a token, in one spelling. */
function stateOf({ description, permissions }: Token): string {
  const granted = permissions.map(({ action, resource }) => JSON.stringify([action, resource]));
  return JSON.stringify([description, granted.sort()]);
}

/** A token as this run wrote it, and every state in which this run saw it before. */
interface Written {
  readonly token: Token;
  readonly before: ReadonlySet<string>;
}

/**
 * Reads of the Management API may lag behind its writes, and a description is written as a whole: whoever
 * starts from a stale one takes away what was written since. Within one run a token never goes back in time:
 * if a read shows it as it was before this run wrote it, the answer to the write is what counts. Any other
 * difference is somebody else's change, and newer.
 */
export function readingOwnWrites(api: ManagementApi): ManagementApi {
  const seen = new Map<string, Set<string>>();
  const written = new Map<string, Written>();

  const note = (token: Token) => {
    const states = seen.get(token.id) ?? new Set();
    seen.set(token.id, states.add(stateOf(token)));
  };

  return {
    ...api,
    async listTokens() {
      const listing = await api.listTokens();
      for (const token of listing.tokens) note(token);
      return listing;
    },
    async getToken(id) {
      const token = await api.getToken(id);
      const last = written.get(id);
      if (!token) return undefined;
      if (last?.before.has(stateOf(token)) && token.revokedAt === undefined) return last.token;
      note(token);
      return token;
    },
    async updateToken(id, change) {
      const token = await api.updateToken(id, change);
      const state = stateOf(token);
      const before = new Set(seen.get(id));
      before.delete(state);
      written.set(id, { token, before });
      note(token);
      return token;
    },
  };
}
