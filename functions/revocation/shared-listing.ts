import type { OwnWritesApi } from '../management-api/management-api.ts';
import type { Timing } from '../retry.ts';

type Listing = OwnWritesApi['listTokens'];

/** So many listings follow each other at once: what an order about a few secrets needs. */
const AT_ONCE = 20;
/** Every further one begins so much later after the one before than that did. */
const SPACING_MS = 250;
/** So long who asks waits for others that may be about to ask. */
const PATIENCE_MS = 3_000;
const STEP_MS = 100;

/** Listings of the cluster's tokens that all parts of an order share. */
export interface SharedListing {
  readonly listTokens: Listing;
  /** Work that asks for a listing now and then: who asks beside it waits a moment for it. */
  together<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Shares one listing between all callers that wait at the same time. Each caller gets a listing that began
 * after its call, so it is never out of date, and many secrets do not need as many listings: the looks of a large order
 * come one by one, as its writes do, and each would read all tokens. So they wait for each other, and in the 15 minutes of a
 * run there are a hundred at most.
 */
export function sharedListing(
  { listTokens }: Pick<OwnWritesApi, 'listTokens'>,
  { now, sleep }: Pick<Timing, 'now' | 'sleep'>,
): SharedListing {
  let running: Promise<unknown> = Promise.resolve();
  let next: ReturnType<Listing> | undefined;
  let begun = 0;
  let earliest = Number.NEGATIVE_INFINITY;
  let [asking, waiting] = [0, 0];

  async function gathered(): Promise<void> {
    const patientUntil = now() + PATIENCE_MS;
    while (waiting < asking && now() < patientUntil) await sleep(STEP_MS);
  }

  return {
    async together(work) {
      asking += 1;
      try {
        return await work();
      } finally {
        asking -= 1;
      }
    },
    listTokens() {
      waiting += 1;
      next ??= running.then(async () => {
        try {
          if (now() < earliest) await sleep(earliest - now());
          await gathered();
        } finally {
          next = undefined; // whoever comes from now on gets a later one
          waiting = 0;
        }
        begun += 1;
        earliest = now() + SPACING_MS * Math.max(0, begun - AT_ONCE);
        const listing = listTokens();
        running = listing.catch(() => {}); // the callers of this listing get its error
        return listing;
      });
      return next;
    },
  };
}
