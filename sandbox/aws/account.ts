import type { Clock } from '../clock.ts';
import { createStore, type Store } from './store.ts';

/** What the servers of several Regions share. */
export interface Account {
  readonly id: string;
  /** The state of one of its Regions, whether or not a server answers for it. */
  region(name: string): Store;
}

export function createAccount(clock: Clock, id = '123456789012'): Account {
  const regions = new Map<string, Store>();
  const account: Account = {
    id,
    region(name) {
      const store = regions.get(name) ?? createStore(clock, name, id, account.region);
      regions.set(name, store);
      return store;
    },
  };
  return account;
}
