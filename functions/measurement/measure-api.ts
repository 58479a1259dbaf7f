import type { Permission, Token } from '../management-api/token.ts';
import { readToken } from '../management-api/token-schemas.ts';
import { MINUTE_MS } from '../time.ts';
import { type Bench, measured } from './bench.ts';
import { isSuccess, isTroubled, MeasurementError, type Said } from './cluster.ts';
import type { Facts, Listing, Measured } from './facts.ts';
import type { Deleted } from './measure-routers.ts';
import { type Change, nextSample, type Range } from './samples.ts';

/** No description of Keyturn's is longer. */
const LONGEST_ASKED = 8_192;
/** How often two things are changed by one `PATCH`. */
const ROUNDS = 3;
/** What is slower than the reads that were seen, is not there. */
const PATIENCE_MS = 5_000;
/** Statuses by which a server refuses a body for what is in it. */
const REFUSED = [400, 413, 422];

/** So many reads in a row must show it, over so long a time: a balancer chooses which replica of the API answers each. */
const ENOUGH_READS = 20;
const QUIET_MS = 10_000;
/** How long a list is waited for that lacks what is there: one that is late has it in the end. */
const LIST_PATIENCE_MS = 2 * MINUTE_MS;
const LIST_EVERY_MS = 5_000;

/** What reads, one after the other, said of whether a new token is there. */
function createReadings(change: Change) {
  let missedAt: number | undefined;
  /** Of the reads that showed it since the last one that did not: how many, and when the first was answered. */
  let shown = 0;
  let shownAt = change.to;
  return {
    missed(askedAt: number) {
      missedAt = askedAt;
      shown = 0;
    },
    /** How late all reads show it, as soon as enough of them do. */
    saw(answeredAt: number): Range | undefined {
      if (shown === 0) shownAt = answeredAt;
      shown += 1;
      if (shown < ENOUGH_READS || answeredAt - shownAt < QUIET_MS) return undefined;
      const from = missedAt === undefined ? 0 : Math.max(0, missedAt - change.to);
      return { from, to: shownAt - change.from };
    },
  };
}

/** How late every read shows a token that was just minted. */
export const measureReads = (
  { cluster, tools }: Bench,
  id: string,
  change: Change,
  until: number,
): Promise<Measured<Range>> =>
  measured(async () => {
    const readings = createReadings(change);
    for (;;) {
      const askedAt = tools.now();
      const found = await cluster.token(id);
      if (!found) readings.missed(askedAt);
      const seen = found && readings.saw(tools.now());
      if (seen) return seen;
      const ms = nextSample(change, [], tools.now()) ?? PATIENCE_MS;
      if (tools.now() + ms >= until) {
        const passed = Math.round((tools.now() - change.to) / 1_000);
        throw new MeasurementError(`after ${passed} s, not every read showed a new token yet`);
      }
      await tools.sleep(ms);
    }
  });

interface Both {
  readonly description: string;
  readonly permissions: readonly Permission[];
}

/** What of both a token has. */
function changedIn(token: Token, { description, permissions }: Both) {
  const isGranted = token.permissions.length === permissions.length;
  if (token.description === description) return isGranted ? 'both' : 'description';
  return isGranted ? 'permissions' : 'neither';
}

/** What one `PATCH` of both has changed, once reads must show it. */
async function patchBoth(
  { cluster, tools }: Bench,
  id: string,
  to: Both,
  until: number,
): Promise<ReturnType<typeof changedIn>> {
  const said = await cluster.say('PATCH', `/tokens/${id}`, to);
  if (said.status === undefined || said.status === 429) throw new MeasurementError(said.problem);
  for (;;) {
    const token = await cluster.token(id);
    if (!token) throw new MeasurementError('somebody deleted the token');
    const found = changedIn(token, to);
    if (found === 'both') return found;
    if (tools.now() >= until) {
      // What was refused as a whole was not tried.
      if (found === 'neither' && !isSuccess(said)) throw new MeasurementError(said.problem);
      return found;
    }
    await tools.sleep(1_000);
  }
}

async function longestDescription({ cluster, description }: Bench, id: string) {
  const isTaken = async (length: number): Promise<boolean> => {
    const text = `${description} ${'x'.repeat(length)}`.slice(0, length);
    const said = await cluster.insist('PATCH', `/tokens/${id}`, { description: text });
    if (!isSuccess(said)) {
      if (REFUSED.includes(said.status ?? 0)) return false;
      throw new MeasurementError(said.problem);
    }
    const echo = readToken(said.text);
    // A server that cuts it does not take it.
    return 'value' in echo && echo.value.description === text;
  };
  if (await isTaken(LONGEST_ASKED)) return { longest: LONGEST_ASKED, isLimit: false };
  let taken = description.length;
  let refused = LONGEST_ASKED;
  while (refused - taken > 1) {
    const middle = Math.floor((taken + refused) / 2);
    if (await isTaken(middle)) taken = middle;
    else refused = middle;
  }
  return { longest: taken, isLimit: true };
}

/** An answer without the name that was asked for. */
const formOf = ({ status, text, isForeign }: Said, name: string) =>
  JSON.stringify([status, isForeign, text.replaceAll(name, '')]);

/** No such database is there: what is told apart is whether the API says so, or somebody before it. */
async function measureSlash({ cluster, database }: Bench) {
  const ask = async (path: string, name: string) => {
    const said = await cluster.insist('PATCH', `/databases/${path}`, { maxTables: 500 });
    if (isTroubled(said)) throw new MeasurementError(said.problem);
    return formOf(said, name);
  };
  const [plain, slashed] = [`${database}-x`, `${database}/x`];
  const ofPlain = await ask(plain, plain);
  const ofSlashed = await ask(encodeURIComponent(slashed), slashed);
  const ofUnknown = await ask(slashed, slashed);
  if (ofSlashed !== ofPlain) return 'refused' as const;
  return ofUnknown === ofPlain ? ('unclear' as const) : ('passes' as const);
}

/** What the Management API does with changes. `reads`: how late it shows them. */
export async function measureChanges(
  bench: Bench,
  reads: Measured<Range>,
  until: number,
): Promise<Pick<Facts, 'patch' | 'description' | 'slash'>> {
  const { database, description, mint, tools } = bench;
  const slash = await measured(() => measureSlash(bench));
  if ('why' in reads) return { slash, patch: reads, description: reads };
  const readMs = reads.value.to + PATIENCE_MS;
  const subject = await measured(() => mint([]));
  if ('why' in subject) return { slash, patch: subject, description: subject };
  const { id } = subject.value.token;
  const patch = await measured(async () => {
    // Until reads show it as it was minted, they say nothing of what is changed.
    await tools.sleep(reads.value.to);
    for (let round = 0; round < ROUNDS; round += 1) {
      const permissions = round % 2 === 0 ? [{ action: 'write', resource: database }] : [];
      const to = { description: `${description} ${round}`, permissions };
      const found = await patchBoth(bench, id, to, Math.min(until, tools.now() + readMs));
      if (found !== 'both') return found;
    }
    return 'both' as const;
  });
  return { slash, patch, description: await measured(() => longestDescription(bench, id)) };
}

/** Tokens of the bench, by what became of them. Instants are milliseconds since 1970, by this machine's clock. */
export interface Ended {
  readonly deleted?: Deleted | undefined;
  readonly expired: Measured<{ readonly id: string; readonly at: number }>;
  /** The ids of those that live. */
  readonly living: readonly string[];
  readonly readMs: number;
}

/** The list of tokens, once it has all that are there and none that is dead, or nobody waits for that any more. */
async function wholeList(
  { cluster, tools, lastMintAt }: Bench,
  { deleted, living }: Pick<Ended, 'deleted' | 'living'>,
  until: number,
): Promise<Listing & { readonly tokens: readonly Token[] }> {
  const end = Math.min(until, tools.now() + LIST_PATIENCE_MS);
  const changedAt = Math.max(deleted?.at ?? 0, lastMintAt());
  for (let behindAt: number | undefined; ; ) {
    const askedAt = tools.now();
    const tokens = await cluster.tokens();
    const waitedMs = Math.max(0, tools.now() - changedAt);
    const listed = new Set(tokens.map(({ id }) => id));
    const unlisted = living.filter((id) => !listed.has(id));
    const missing = (await Promise.all(unlisted.map((id) => cluster.token(id)))).filter(Boolean);
    const seemsLive = tokens.some(({ id, revokedAt }) => id === deleted?.id && !revokedAt);
    // Asked by its id, the API may know better.
    const byId = seemsLive && deleted ? await cluster.token(deleted.id) : undefined;
    const isBehind = missing.length > 0 || (seemsLive && (!byId || byId.revokedAt !== undefined));
    if (!isBehind || tools.now() + LIST_EVERY_MS >= end) {
      const from = Math.max(0, (behindAt ?? changedAt) - changedAt);
      const isLate = behindAt !== undefined && !isBehind;
      return {
        ...{ tokens, listed: tokens.length, missing: missing.length, waitedMs },
        ...(isLate && { late: { from, to: waitedMs } }),
      };
    }
    behindAt = askedAt;
    await tools.sleep(LIST_EVERY_MS);
  }
}

/** What is told of tokens that are dead, and whether all that live are listed. */
export async function measureLists(
  bench: Bench,
  { deleted, expired, living, readMs }: Ended,
  until: number,
): Promise<Pick<Facts, 'revoked' | 'expired' | 'listing'>> {
  const { cluster, tools } = bench;
  const last = Math.max(deleted?.at ?? 0, 'value' in expired ? expired.value.at : 0);
  await tools.sleep(Math.max(0, Math.min(last + readMs + 2_000, until) - tools.now()));
  const listing = await measured(() => wholeList(bench, { deleted, living }, until));
  if ('why' in listing) return { revoked: listing, expired: listing, listing };
  const { tokens, ...list } = listing.value;
  const shownAs = (id: string, isDead: (token: Token) => boolean) =>
    measured(async () => {
      if (list.missing > 0) throw new MeasurementError('the listing is not whole');
      const as = (token: Token | undefined) =>
        token === undefined ? 'hidden' : isDead(token) ? 'dead' : 'live';
      return {
        listed: as(tokens.find((each) => each.id === id)),
        byId: as(await cluster.token(id)),
      } as const;
    });
  return {
    listing: { value: list },
    revoked: deleted
      ? await shownAs(deleted.id, ({ revokedAt }) => revokedAt !== undefined)
      : { why: 'no token was deleted' },
    expired:
      'why' in expired
        ? expired
        : await shownAs(expired.value.id, ({ expiresAt }) => expiresAt !== undefined),
  };
}
