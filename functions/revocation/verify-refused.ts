import type { Permission } from '../management-api/token.ts';
import { entryOf, namedDatabases } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { Tools } from '../run/tools.ts';
import { MINUTE_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import { readTokenString, stringForConsumers } from '../tokens/secret-string.ts';
import type { Controls } from './control.ts';
import type { TokenResult } from './end-token.ts';
import { NO_STRING, type RevokedToken } from './report.ts';

/** Kept for reading the secret once more and for the report. */
const RESERVE_MS = MINUTE_MS;

export const STILL_ACCEPTED = 'the cluster still accepts its string';

const ENDED: readonly TokenResult['result'][] = ['deleted', 'frozen', 'gone'];

type Checked = Pick<RevokedToken, 'deadAfterSeconds' | 'unconfirmed'>;

/** The string of a token that was ended, or why it is not known. A version can be read even without a label. */
export async function readString(
  { secret, versions = [], fingerprint }: TokenResult,
  { secrets, policy }: Tools,
): Promise<TokenValue | string> {
  if (secret === undefined) return NO_STRING;
  let problem: string = NO_STRING;
  for (const version of versions) {
    const text = await secrets.value(secret, version);
    if (!text) {
      problem = `version ${version} of ${secret}, which had its string, is gone`;
      continue;
    }
    const entry = entryOf(policy, secret) ?? { secret };
    const value = readTokenString(entry, text, { own: fingerprint, known: [] });
    if (fingerprint === undefined || value.fingerprint() === fingerprint) return value;
    problem = `version ${version} of ${secret} has another string`;
  }
  return problem;
}

const unreadBecause = (error: unknown) => `its string could not be read: ${messageOf(error)}`;

/** What a proof of death needs besides the string. */
export interface Proving {
  /** When the order was given, in milliseconds since 1970. */
  readonly startedAt: number;
  readonly controls: Controls;
  /** The secret whose successor is the first string to compare. Absent: there is none. */
  readonly own?: string | undefined;
}

async function untilRefused(ended: TokenResult, proving: Proving, tools: Tools): Promise<Checked> {
  const { startedAt, controls, own } = proving;
  const { secret } = ended;
  if (secret === undefined) return { unconfirmed: NO_STRING };
  const value = await readString(ended, tools).catch(unreadBecause);
  if (typeof value === 'string') return { unconfirmed: value };
  const { policy, dataPlane, now, deadline } = tools;
  // What is gone and known by its version alone was minted here. Of others nobody knows who gave them what.
  const isMinted = ended.result === 'gone' && ended.fingerprint === undefined;
  const had = ended.had ?? (await everything(tools)).map(asPermission);
  const { refused, lastAnswer, detail } = await dataPlane.untilRefused(value, had, {
    endedAt: now(),
    settleMs: policy.settle,
    firstBy: now() + 2 * policy.activationTimeout,
    deadline: deadline - RESERVE_MS,
    databases: namedDatabases(policy),
  });
  if (refused) {
    const deadAfterSeconds = Math.round((now() - startedAt) / 1_000);
    const missing = ended.had
      ? await controls.missing(had, own)
      : (await unknownMayWork(value, secret, isMinted, proving, tools))?.why;
    return missing === undefined ? { deadAfterSeconds } : { unconfirmed: missing };
  }
  if (lastAnswer === undefined) return { unconfirmed: 'no probe exists for its permissions' };
  if (lastAnswer === 'accepted') return { unconfirmed: STILL_ACCEPTED };
  return { unconfirmed: `it was not seen refused in time: ${detail}` };
}

/**
 * Waits until the cluster refuses the string of a token that was ended, for everything if nobody knows what it could do;
 * what never had a permission needs no proof. Never rejects: without an answer the result is `unconfirmed`, and the
 * token is ended in the Management API anyway.
 */
export async function verifyRefused(
  ended: TokenResult,
  proving: Proving,
  tools: Tools,
): Promise<TokenResult> {
  if (!ENDED.includes(ended.result) || ended.had?.length === 0) return ended;
  try {
    return { ...ended, ...(await untilRefused(ended, proving, tools)) };
  } catch (error) {
    return { ...ended, unconfirmed: messageOf(error) };
  }
}

/** A use of a database, for which any string can be probed. */
interface Use {
  readonly action: 'read' | 'write';
  readonly database: string;
}

const asPermission = ({ action, database }: Use): Permission => ({ action, resource: database });

/** Everything that a string might do: to read and to write each database that the cluster or the policy knows. */
async function everything({ api, policy }: Tools): Promise<readonly Use[]> {
  const { databases } = await api.listDatabases();
  const names = new Set([...databases.map(({ name }) => name), ...namedDatabases(policy)]);
  return [...names].flatMap((database): Use[] => [
    { action: 'read', database },
    { action: 'write', database },
  ]);
}

/** Why a string may still work. */
export interface Doubt {
  readonly why: string;
  /** When the same order can prove that it does not. Absent: the cluster accepts it, and no order changes that. */
  readonly provableWhen?: string;
}

const unanswered = (why: string): Doubt => ({ why, provableWhen: 'the data plane answers' });

/** What the cluster says of a string that may be anybody's: that the entry's grants are refused says nothing of others. */
async function askEverything(
  value: TokenValue,
  expected: readonly Permission[],
  tools: Tools,
): Promise<Doubt | readonly Permission[]> {
  const { policy, dataPlane, now, deadline } = tools;
  const { answer, detail = '' } = await dataPlane.burst(value, expected, {
    databases: namedDatabases(policy),
  });
  if (answer === 'accepted') return { why: 'the cluster accepts it' };
  if (answer === 'indeterminate') return unanswered(`no answer tells whether it works: ${detail}`);
  const uses = await everything(tools);
  for (const use of uses) {
    const { action, database } = use;
    if (now() > deadline - RESERVE_MS) {
      return unanswered(`the time was over before ${database} was asked`);
    }
    const one = await dataPlane.probe(value, use);
    if (one === 'accepted') return { why: `the cluster accepts it (${action} ${database})` };
    if (one !== 'refused')
      return unanswered(`no answer tells whether it may ${action} ${database}`);
  }
  const asked = [...expected, ...uses.map(asPermission)];
  if (asked.length > 0) return asked;
  const why = 'no database is known by which it could be asked';
  return { why, provableWhen: 'there is a database' };
}

/** A string that is no token's of its secret, or why nobody can ask about it. */
export async function readUnknown(
  { secret, version }: { readonly secret: string; readonly version: string },
  { policy, secrets }: Tools,
): Promise<TokenValue | string> {
  try {
    const text = await secrets.value(secret, version);
    if (!text) return 'the version is gone';
    const value = stringForConsumers(entryOf(policy, secret) ?? { secret }, text, { known: [] });
    return value ?? 'nobody can tell which string of its text consumers send';
  } catch (error) {
    return unreadBecause(error);
  }
}

/**
 * Why such a string may still work. Undefined: the cluster refuses it for every database, and accepts another one.
 * @param isMinted whether it is of a token that this deployment minted, so that it could do what tokens of it can
 */
export async function unknownMayWork(
  value: TokenValue,
  secret: string,
  isMinted: boolean,
  { controls, own }: Proving,
  tools: Tools,
): Promise<Doubt | undefined> {
  try {
    const allowed = entryOf(tools.policy, secret)?.permissions ?? [];
    const asked = await askEverything(value, allowed, tools);
    if ('why' in asked) return asked;
    const why = await controls.missing(isMinted ? controls.comparable(asked) : asked, own);
    const provableWhen = 'the cluster accepts another string that may do the same';
    return why === undefined ? undefined : { why, provableWhen };
  } catch (error) {
    return unanswered(`the cluster could not be asked: ${messageOf(error)}`);
  }
}
