import type { ManagementApi } from '../management-api/client.ts';

type Listing = ManagementApi['listTokens'];

/**
 * One listing for all who ask at the same time: each gets one that began after it asked, so that
 * a fresh look stays fresh, and many secrets do not cost as many listings.
 */
export function sharedListing({ listTokens }: Pick<ManagementApi, 'listTokens'>): Listing {
  let running: Promise<unknown> = Promise.resolve();
  let next: ReturnType<Listing> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      const listing = listTokens();
      running = listing.catch(() => {}); // whoever asked for this one hears it
      return listing;
    });
    return next;
  };
}
