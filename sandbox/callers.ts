import type { Asked } from './asked.ts';

/** The connections of a server, by who sent the first request over each (`x-sandbox-caller`). */
export interface Callers {
  /**
   * Lets the connections of one caller die. It learns of each when it next sends something over it, as from a NAT
   * gateway that forgot a connection on which nothing was said for 350 seconds.
   * https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
   */
  forget(caller: string): void;
}

/** Knows which connections have died meanwhile: sockets, and what simulated processes have in their place. */
export function watchCallers(): Callers & { isForgotten(asked: Asked): boolean } {
  const times = new Map<string, number>();
  /** Of each connection, who opened it, and how often that caller's had died before. */
  const opened = new WeakMap<object, { readonly caller: string; readonly time: number }>();
  const timesOf = (caller: string) => times.get(caller) ?? 0;
  return {
    forget(caller) {
      times.set(caller, timesOf(caller) + 1);
    },
    isForgotten({ headers, connection }) {
      const { 'x-sandbox-caller': caller } = headers;
      const known = opened.get(connection);
      if (known && known.time < timesOf(known.caller)) return opened.delete(connection);
      if (!known && typeof caller === 'string')
        opened.set(connection, { caller, time: timesOf(caller) });
      return false;
    },
  };
}
