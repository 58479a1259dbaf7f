import type { Permission, Token } from '../management-api/token.ts';
import { readToken } from '../management-api/token-schemas.ts';
import { type Bench, measured } from './bench.ts';
import { isSuccess, isTroubled, MeasurementError, type Said } from './cluster.ts';
import type { Facts, Measured } from './facts.ts';
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

/** How late a read shows a token that was just minted. */
export const measureReads = (
  { cluster, tools }: Bench,
  id: string,
  change: Change,
  until: number,
): Promise<Measured<Range>> =>
  measured(async () => {
    for (let missedAt: number | undefined; ; ) {
      const askedAt = tools.now();
      const found = await cluster.token(id);
      if (found) {
        const from = missedAt === undefined ? 0 : Math.max(0, missedAt - change.to);
        return { from, to: tools.now() - change.from };
      }
      missedAt = askedAt;
      const ms = nextSample(change, [], tools.now()) ?? PATIENCE_MS;
      if (tools.now() + ms >= until) {
        const passed = Math.round((tools.now() - change.to) / 1_000);
        throw new MeasurementError(`after ${passed} s, a new token was not shown yet`);
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

/** What is told of tokens that are dead, and whether all that live are listed. */
export async function measureLists(
  { cluster, tools }: Bench,
  { deleted, expired, living, readMs }: Ended,
  until: number,
): Promise<Pick<Facts, 'revoked' | 'expired' | 'listing'>> {
  const last = Math.max(deleted?.at ?? 0, 'value' in expired ? expired.value.at : 0);
  await tools.sleep(Math.max(0, Math.min(last + readMs + 2_000, until) - tools.now()));
  const listing = await measured(async () => {
    const tokens = await cluster.tokens();
    const listed = new Set(tokens.map(({ id }) => id));
    const unlisted = living.filter((id) => !listed.has(id));
    const found = await Promise.all(unlisted.map((id) => cluster.token(id)));
    return { tokens, missing: found.filter(Boolean).length };
  });
  if ('why' in listing) return { revoked: listing, expired: listing, listing };
  const { tokens, missing } = listing.value;
  const shownAs = (id: string, isDead: (token: Token) => boolean) =>
    measured(async () => {
      if (missing > 0) throw new MeasurementError('the listing is not whole');
      const as = (token: Token | undefined) =>
        token === undefined ? 'hidden' : isDead(token) ? 'dead' : 'live';
      return {
        listed: as(tokens.find((each) => each.id === id)),
        byId: as(await cluster.token(id)),
      } as const;
    });
  return {
    listing: { value: { listed: tokens.length, missing } },
    revoked: deleted
      ? await shownAs(deleted.id, ({ revokedAt }) => revokedAt !== undefined)
      : { why: 'no token was deleted' },
    expired:
      'why' in expired
        ? expired
        : await shownAs(expired.value.id, ({ expiresAt }) => expiresAt !== undefined),
  };
}
