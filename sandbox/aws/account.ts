import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { createStore, type Store } from './store.ts';

/** In the form in which the SDK takes them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of a role's session; a person's key has none. */
  readonly sessionToken?: string;
}

/** The one key of people: it may do everything. */
export const PERSON = {
  accessKeyId: 'test',
  secretAccessKey: 'test',
} as const satisfies Credentials;

interface AccessKey extends Credentials {
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined;
}

/** What the servers of several Regions share. */
export interface Account {
  readonly id: string;
  readonly clock: Clock;
  /** By their ids. */
  readonly keys: ReadonlyMap<string, AccessKey>;
  /** What a role's session gets: a key of its own, and the token without which nobody knows it. */
  issue(session: string, expiresAt?: number): Required<Credentials>;
  /** The state of one of its Regions, whether or not a server answers for it. */
  region(name: string): Store;
}

/** @param others keys that people have besides theirs */
export function createAccount(
  clock: Clock,
  id = '123456789012',
  others: readonly Credentials[] = [],
): Account {
  const regions = new Map<string, Store>();
  const keys = new Map<string, AccessKey>();
  for (const each of [PERSON, ...others])
    keys.set(each.accessKeyId, { ...each, expiresAt: undefined });
  const account: Account = {
    id,
    clock,
    keys,
    issue(session, expiresAt) {
      const draw = (what: string) =>
        createHash('sha512').update(`${what} ${keys.size} ${session}`).digest('base64');
      const issued = {
        accessKeyId: `ASIA${draw('id')
          .replace(/[^A-Z]/g, '')
          .slice(0, 16)}`,
        secretAccessKey: draw('secret').slice(0, 40),
        // As they begin.
        sessionToken: `IQoJb3JpZ2luX2Vj${draw('token')}`,
      };
      keys.set(issued.accessKeyId, { ...issued, expiresAt });
      return issued;
    },
    region(name) {
      const store = regions.get(name) ?? createStore(clock, name, id, account.region);
      regions.set(name, store);
      return store;
    },
  };
  return account;
}

/** How a function finds them. */
export const environmentOf = ({ accessKeyId, secretAccessKey, sessionToken }: Credentials) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  ...(sessionToken && { AWS_SESSION_TOKEN: sessionToken }),
});
