import { type Facts, type Measured, seen } from './facts.ts';
import { type Spread, together } from './samples.ts';

type Status = 401 | 403;

/** What a sandbox is set to, to be like the cluster that was measured. Times in milliseconds. */
export interface Profile {
  readonly keyturnProfile: 1;
  readonly cluster: string;
  /** An instant. */
  readonly measuredAt: string;
  readonly activationDelayMs: number;
  readonly revocationDelayMs: number;
  /** Nobody sees how many there are: twelve where they were seen to differ, else one. */
  readonly routers: { readonly count: number; readonly spreadMs: number };
  readonly manners: {
    readonly lagMs?: number;
    readonly hidesRevoked?: boolean;
    readonly hidesExpired?: boolean | 'from listings';
    readonly longestListing?: number;
    readonly longestDescription?: number;
    readonly patchesOnly?: 'description' | 'permissions';
    readonly deletesTwice?: boolean;
    readonly refusesSlash?: boolean;
    readonly refusals?: {
      readonly unknown?: { readonly read?: Status; readonly write?: Status };
      readonly forbidden?: { readonly read?: Status; readonly write?: Status };
    };
  };
}

const SEEN_TO_DIFFER = 12;

/** Of changes that spread alike. */
function alike(...changes: readonly Measured<Spread>[]): Spread | undefined {
  const spreads = changes.flatMap((each) => seen(each) ?? []);
  return spreads.length > 0 ? together(spreads) : undefined;
}

const firstOf = (spread: Spread | undefined) => Math.round(spread?.first?.to ?? 0);
/** From the first router that was met to the last. */
const betweenOf = (spread: Spread | undefined) =>
  Math.max(0, Math.round((spread?.lastObjection ?? 0) - firstOf(spread)));

const isStatus = (status: number | undefined): status is Status => status === 401 || status === 403;

function refusalsOf(found: Facts['unknownString']) {
  const [read] = seen(found)?.read ?? [];
  const [write] = seen(found)?.write ?? [];
  return { ...(isStatus(read) && { read }), ...(isStatus(write) && { write }) };
}

function mannersOf(facts: Facts): Profile['manners'] {
  const reads = seen(facts.reads);
  const revoked = seen(facts.revoked);
  const expired = seen(facts.expired);
  const listing = seen(facts.listing);
  const description = seen(facts.description);
  const patch = seen(facts.patch);
  const second = seen(facts.secondDelete);
  return {
    ...(reads && reads.from > 0 && { lagMs: Math.round(reads.to) }),
    ...(revoked?.listed === 'hidden' && { hidesRevoked: true }),
    ...(expired?.listed === 'hidden' && {
      hidesExpired: expired.byId === 'hidden' ? true : ('from listings' as const),
    }),
    ...(listing && listing.missing > 0 && { longestListing: listing.listed }),
    ...(description?.isLimit && { longestDescription: description.longest }),
    ...((patch === 'description' || patch === 'permissions') && { patchesOnly: patch }),
    ...(second !== undefined && second < 300 && { deletesTwice: true }),
    ...(seen(facts.slash) === 'refused' && { refusesSlash: true }),
    refusals: {
      unknown: refusalsOf(facts.unknownString),
      forbidden: refusalsOf(facts.withoutPermission),
    },
  };
}

/** What was not measured is as the sandbox has it by default. */
export function profileOf(
  facts: Facts,
  { host, at }: { readonly host: string; readonly at: string },
): Profile {
  const activation = alike(facts.activation, facts.permissionAdded);
  const revocation = alike(facts.revocation, facts.permissionRemoved);
  const spreadMs = Math.max(betweenOf(activation), betweenOf(revocation));
  return {
    keyturnProfile: 1,
    cluster: host,
    measuredAt: at,
    activationDelayMs: firstOf(activation),
    revocationDelayMs: firstOf(revocation),
    routers: { count: spreadMs > 0 ? SEEN_TO_DIFFER : 1, spreadMs },
    manners: mannersOf(facts),
  };
}
