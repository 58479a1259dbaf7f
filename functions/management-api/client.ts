import { formatInstant } from '../time.ts';
import { createCaller, type ManagementApiOptions } from './caller.ts';
import { readDatabase, readDatabases, readTable } from './database-schemas.ts';
import { InfluxError } from './influx-error.ts';
import type { ManagementApi } from './management-api.ts';
import { type Reader, readNothing } from './reader.ts';
import type { Token } from './token.ts';
import { readMintedToken, readToken, readTokens } from './token-schemas.ts';

/** Encodes the slash of a database's name. A segment that is empty, `.` or `..` would change the path. */
function segment(text: string): string {
  if (/^\.{0,2}$/.test(text)) throw new RangeError(`"${text}" cannot be part of a path`);
  return encodeURIComponent(text);
}

const tokenPath = (id: string) => `/tokens/${segment(id)}`;
const databasePath = (name: string) => `/databases/${segment(name)}`;
const tablePath = (database: string, name: string) =>
  `${databasePath(database)}/tables/${segment(name)}`;

const gone = (error: unknown) => error instanceof InfluxError && error.gone;

interface Removal {
  /** Whether a call that failed took effect nevertheless. */
  readonly isDone?: () => Promise<boolean>;
  readonly signal?: AbortSignal | undefined;
}

export function createManagementApi(options: ManagementApiOptions): ManagementApi {
  const { once, onceAccepted, repeatSoon, repeat, disconnect } = createCaller(options);

  // A second call would take effect again, so one that may have taken effect is never repeated. The
  // caller checks what it did.
  const post = async <T>(path: string, body: object, read: Reader<T>) =>
    (await onceAccepted({ method: 'POST', path, body, read })).value;
  const rename = async <T>(path: string, name: string, read: Reader<T>) =>
    (await onceAccepted({ method: 'PUT', path: `${path}/rename`, body: { name }, read })).value;

  const get = <T>(path: string, read: Reader<T>) =>
    repeat(() => once({ method: 'GET', path, read }));
  const patch = async <T>(path: string, body: object, read: Reader<T>) =>
    (await repeatSoon({ method: 'PATCH', path, body, read })).value;
  const undelete = async <T>(path: string, read: Reader<T>) =>
    (await repeat(() => once({ method: 'PUT', path: `${path}/undelete`, read }))).value;

  const remove = (
    path: string,
    { isDone = async () => false, signal }: Removal = {},
  ): Promise<void> =>
    repeat(async () => {
      try {
        await once({ method: 'DELETE', path, read: readNothing, signal });
      } catch (error) {
        if (signal?.aborted || (!gone(error) && !(await isDone()))) throw error;
      }
    }, signal);

  const isDead = async (path: string) => {
    try {
      const { value } = await once({ method: 'GET', path, read: readToken });
      return value.revokedAt !== undefined;
    } catch (error) {
      return gone(error);
    }
  };

  return {
    async listTokens() {
      const { value, at } = await get('/tokens', readTokens);
      // A listing that is not made at one instant may show a token twice.
      const byId = new Map<string, Token>();
      for (const token of value) byId.set(token.id, token);
      return { tokens: byId.size === value.length ? value : [...byId.values()], at: at() };
    },
    async getToken(id) {
      try {
        return (await get(tokenPath(id), readToken)).value;
      } catch (error) {
        if (gone(error)) return undefined;
        throw error;
      }
    },
    createToken: ({ description, permissions, expiresAt }) =>
      post(
        '/tokens',
        {
          description,
          permissions,
          ...(expiresAt !== undefined && { expiresAt: formatInstant(expiresAt) }),
        },
        readMintedToken,
      ),
    updateToken: (id, change) => patch(tokenPath(id), change, readToken),
    deleteToken: (id, signal) =>
      remove(tokenPath(id), { isDone: () => isDead(tokenPath(id)), signal }),

    async listDatabases() {
      const { value, at } = await get('/databases', readDatabases);
      return { databases: value, at: at() };
    },
    createDatabase: (database) => post('/databases', database, readDatabase),
    updateDatabase: (name, change) => patch(databasePath(name), change, readDatabase),
    renameDatabase: (name, newName) => rename(databasePath(name), newName, readDatabase),
    deleteDatabase: (name) => remove(databasePath(name)),
    undeleteDatabase: (id) => undelete(`/databases/${id}`, readDatabase),

    createTable: (database, table) => post(`${databasePath(database)}/tables`, table, readTable),
    renameTable: (database, name, newName) => rename(tablePath(database, name), newName, readTable),
    deleteTable: (database, name) => remove(tablePath(database, name)),
    undeleteTable: (database, id) => undelete(`${databasePath(database)}/tables/${id}`, readTable),

    disconnect,
  };
}
