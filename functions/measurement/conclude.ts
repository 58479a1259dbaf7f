import type { CheckState } from '../examination/check.ts';
import { ACTIVATION_MS, SETTLE_MS } from '../policy/contradictions.ts';
import { formatDuration } from '../policy/duration.ts';
import type { Policy } from '../policy/policy.ts';
import { counted } from '../run/counted.ts';
import {
  type Facts,
  type Listing,
  type Measured,
  type Refusals,
  type Shown,
  seen,
} from './facts.ts';
import { type Profile, profileOf } from './profile.ts';
import { ENOUGH_PROBES, type Range, type Spread } from './samples.ts';

/** What was measured, what the design takes for granted, and what to do where they differ. All texts are for people. */
export interface Finding {
  readonly check: string;
  readonly state: CheckState;
  readonly found: string;
  /** Absent: nothing is. */
  readonly assumed?: string;
  readonly advice?: string;
}

/** A value of the policy, and the least that this cluster needs. In seconds. */
export interface Recommendation {
  readonly key: 'activationTimeout' | 'settle';
  readonly policySeconds: number;
  /** Absent: it was not measured. */
  readonly leastSeconds?: number;
  /** Whether what was measured was seen to its end: else it needs more than that. */
  readonly isSeenToEnd: boolean;
}

export interface Conclusion {
  readonly facts: Facts;
  readonly findings: readonly Finding[];
  readonly recommended: readonly Recommendation[];
  readonly profile: Profile;
}

type Verdict = Omit<Finding, 'check' | 'assumed'>;

/** One quiet measurement is no proof for a busy day. */
const MARGIN = 2;
const ROUND_MS = 30_000;
/** Reads that are later than that, a run may meet. */
const LATE_MS = 5_000;
/** A marker with a long name of a secret. */
const LONG_MARKER = 1_000;

const seconds = (ms: number) => String(Number((ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)));
const between = ({ from, to }: Range) => {
  if (to < 1_000) return 'within a second';
  return from === 0 ? `within ${seconds(to)} s` : `after ${seconds(from)} to ${seconds(to)} s`;
};

function judged<T>(measured: Measured<T>, judge: (value: T) => Verdict): Verdict {
  if ('value' in measured) return judge(measured.value);
  return { state: 'unknown', found: `it was not measured: ${measured.why}` };
}

function spread(
  { first, usable, all, lastObjection, probes, silent }: Spread,
  what: string,
): Verdict {
  const nothing = silent === 0 ? '' : `, ${silent} of which told nothing`;
  const asked = `(${counted(probes, 'probe')}${nothing})`;
  if (!first) {
    return {
      state: 'fail',
      found: `no router ${what} it as long as it was looked at ${asked}`,
      advice: 'look at the cluster: its routers do not learn of what the Management API was told',
    };
  }
  const isUneven = usable !== undefined && usable.to > first.to;
  const met = `a first router ${what} it ${between(first)}${isUneven ? `, reads and writes both ${between(usable)}` : ''}`;
  if (!all) {
    return {
      state: 'warn',
      found: `${met}; after ${seconds(lastObjection)} s another one did not ${asked}`,
      advice: 'it was not seen to its end: measure again, and look for a router that is stuck',
    };
  }
  return {
    state: 'ok',
    found: `${met}, every one that was met ${between(all)} ${asked}`,
  };
}

const codes = ({ read, write }: Refusals) =>
  `reads ${read.join(' and ') || 'never'}, writes ${write.join(' and ') || 'never'}`;

function refusals({
  unknownString,
  withoutPermission,
  revokedString,
}: Pick<Facts, 'unknownString' | 'withoutPermission' | 'revokedString'>): Verdict {
  const kinds = [
    ['a string of no token', unknownString],
    ['a token without the permission', withoutPermission],
    ['a revoked one', revokedString],
  ] as const;
  const found = kinds.map(([what, each]) =>
    'why' in each ? `${what}: not measured (${each.why})` : `${what}: ${codes(each.value)}`,
  );
  const isUnknown = kinds.some(
    ([, each]) => 'why' in each || each.value.read.length === 0 || each.value.write.length === 0,
  );
  return { state: isUnknown ? 'unknown' : 'ok', found: found.join('; ') };
}

/** @param as how one that is dead is shown */
const shown =
  (as: string) =>
  ({ listed, byId }: Shown): Verdict => {
    const how = { dead: as, live: 'shows it as if it worked', hidden: 'does not show it' };
    return {
      state: listed === 'live' || byId === 'live' ? 'warn' : 'ok',
      found: `the list ${how[listed]}, and asked by id, the API ${how[byId]}`,
    };
  };

const PATCHED = {
  both: 'both were changed together, three times',
  description: 'the description alone was changed',
  permissions: 'the permissions alone were changed',
  neither: 'neither was changed',
};

/** A list that is late shows in the end what it lacks; one that is cut never does. */
function listing({ listed, missing, late, waitedMs }: Listing): Verdict {
  if (missing > 0) {
    return {
      state: 'fail',
      found: `it has ${listed}, and leaves out ${counted(missing, 'token')} that it should have, also ${seconds(waitedMs)} s after the last one was made: it is cut, or later than that`,
      advice: 'delete tokens that nobody needs: what is not listed, Keyturn does not see',
    };
  }
  const found = `all that were made are among the ${listed}; longer lists were not seen`;
  if (!late) return { state: 'ok', found };
  return {
    state: late.to > LATE_MS ? 'warn' : 'ok',
    found: `${found}. It is late: what was changed it shows ${between(late)}`,
  };
}

function findingsOf(facts: Facts): readonly Finding[] {
  const routers = 'a few seconds to a few minutes, one router after the other';
  return [
    {
      check: 'a new token',
      assumed: routers,
      ...judged(facts.activation, (value) => spread(value, 'accepted')),
    },
    {
      check: 'a permission that is given',
      assumed: routers,
      ...judged(facts.permissionAdded, (value) => spread(value, 'accepted')),
    },
    {
      check: 'a permission that is taken',
      assumed: routers,
      ...judged(facts.permissionRemoved, (value) => spread(value, 'refused')),
    },
    {
      check: 'a token that is deleted',
      assumed: routers,
      ...judged(facts.revocation, (value) => spread(value, 'refused')),
    },
    {
      check: 'refusals',
      assumed: '401 or 403, from which nothing else is concluded',
      ...refusals(facts),
    },
    {
      check: 'reads of the Management API',
      assumed: 'what was written is shown, or soon',
      ...judged(facts.reads, (range) => ({
        state: range.to > LATE_MS ? 'warn' : 'ok',
        found: `a new token is shown ${between(range)}`,
      })),
    },
    {
      check: 'revoked tokens',
      assumed: 'shown as revoked, or not shown',
      ...judged(facts.revoked, shown('shows it as revoked')),
    },
    {
      check: 'expired tokens',
      assumed: 'shown, or not shown',
      ...judged(facts.expired, shown('shows it')),
    },
    {
      check: 'a second DELETE',
      assumed: '404, or as the first',
      ...judged(facts.secondDelete, (status) => ({
        state: status === 404 || (status >= 200 && status < 300) ? 'ok' : 'warn',
        found: `it answers ${status}`,
      })),
    },
    {
      check: 'a PATCH of two things',
      assumed: 'both are changed, or neither',
      ...judged(facts.patch, (found) => ({
        state: found === 'both' ? 'ok' : 'warn',
        found: PATCHED[found],
      })),
    },
    {
      check: 'the longest description',
      assumed: 'nobody knows; a marker that is refused is written shorter',
      ...judged(facts.description, ({ longest, isLimit }) => ({
        state: isLimit && longest < LONG_MARKER ? 'warn' : 'ok',
        found: isLimit
          ? `${longest} characters; one more is refused`
          : `${longest} characters are taken; longer ones were not tried`,
      })),
    },
    {
      check: 'a slash in the name of a database',
      assumed: 'it comes to the API as %2F',
      ...judged(facts.slash, (found) => ({
        state: { passes: 'ok', refused: 'warn', unclear: 'unknown' }[found] as CheckState,
        found: {
          passes: 'it comes to the API',
          refused: 'it does not come to the API',
          unclear: 'the API says the same of a path that it does not know',
        }[found],
        ...(found === 'refused' && {
          advice: 'declare no database with a slash in its name: it could not be changed',
        }),
      })),
    },
    {
      check: 'the list of tokens',
      assumed: 'all of them, in one answer',
      ...judged(facts.listing, listing),
    },
  ];
}

const roundedUp = (
  ms: number,
  { least, most }: { readonly least: number; readonly most: number },
) => Math.min(most, Math.max(least, Math.ceil((MARGIN * ms) / ROUND_MS) * ROUND_MS));

/** Twice what was seen: `activationTimeout` waits for a first router of each kind of request; `settle` for all. */
export function recommend(
  facts: Pick<Facts, 'activation' | 'permissionAdded'>,
  { activationTimeout, settle }: Pick<Policy, 'activationTimeout' | 'settle'>,
): readonly Recommendation[] {
  const token = seen(facts.activation);
  const permission = seen(facts.permissionAdded);
  const least = (ms: number | undefined, bounds: typeof SETTLE_MS) =>
    ms === undefined ? {} : { leastSeconds: roundedUp(ms, bounds) / 1_000 };
  const firsts = [token, permission].flatMap((each) => each?.usable?.to ?? []);
  const alls = [token, permission].flatMap((each) => each?.all?.to ?? each?.lastObjection ?? []);
  const isUsable = token?.usable !== undefined && (!permission || permission.usable !== undefined);
  const first = isUsable ? Math.max(...firsts) : token?.lastObjection;
  const all = alls.length > 0 ? Math.max(...alls) : undefined;
  return [
    {
      key: 'activationTimeout',
      policySeconds: activationTimeout / 1_000,
      ...least(first, ACTIVATION_MS),
      isSeenToEnd: isUsable,
    },
    {
      key: 'settle',
      policySeconds: settle / 1_000,
      ...least(all, SETTLE_MS),
      isSeenToEnd: token?.all !== undefined && (!permission || permission.all !== undefined),
    },
  ];
}

const WAITS = {
  activationTimeout: 'a first router must accept reads and writes with a new token within',
  settle: 'every router must know a new token within',
};

function findingOf({ key, policySeconds, leastSeconds, isSeenToEnd }: Recommendation): Finding {
  const [policy, least] = [policySeconds, leastSeconds ?? 0].map((each) =>
    formatDuration(each * 1_000),
  );
  const found = `${WAITS[key]} ${policy}, says the policy`;
  if (leastSeconds === undefined) {
    return { check: key, state: 'unknown', found: `${found}; what it takes was not measured` };
  }
  if (!isSeenToEnd) {
    const advice = `write more than ${least} into the policy, and measure again`;
    return { check: key, state: 'warn', found: `${found}; it takes longer than was seen`, advice };
  }
  const judged = {
    check: key,
    found: `${found}; ${least} would be enough for twice what was seen`,
  };
  return policySeconds >= leastSeconds
    ? { ...judged, state: 'ok' }
    : {
        ...judged,
        state: 'warn',
        advice: `write ${key}: ${least} into the policy, and deploy`,
      };
}

/**
 * What the facts mean for a policy. Pure.
 * @param at when it was measured, an instant
 */
export function conclude(
  facts: Facts,
  policy: Pick<Policy, 'activationTimeout' | 'settle' | 'cluster'>,
  at: string,
): Conclusion {
  const recommended = recommend(facts, policy);
  const { host } = new URL(policy.cluster.url);
  return {
    facts,
    findings: [
      ...findingsOf(facts),
      ...recommended.map(findingOf),
      {
        check: 'error of the times',
        state: 'ok',
        found: `each is between two samples. A balancer hides the routers, and how many there are: one that takes less than a twelfth of the connections may be later, since ${ENOUGH_PROBES} probes can miss it, and one that gets none of ours is not seen`,
      },
    ],
    recommended,
    profile: profileOf(facts, { host, at }),
  };
}
