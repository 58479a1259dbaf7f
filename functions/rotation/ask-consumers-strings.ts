import pLimit from 'p-limit';
import { redact } from '../credentials.ts';
import type { BurstResult } from '../data-plane/data-plane.ts';
import { namedDatabases, type TokenPolicy } from '../policy/policy.ts';
import { messageOf } from '../run/message-of.ts';
import type { RotateRequest } from '../run/request.ts';
import type { Tools } from '../run/tools.ts';
import { isOfAnotherCluster } from '../secrets-manager/secret.ts';
import { MINUTE_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import type { Observation } from '../tokens/observation.ts';
import { knownDatabases, probeable } from './plan/permissions.ts';
import { isSendable, readStringOfConsumers, samplesOf } from './string-of-consumers.ts';

/** What the data plane says of the string that an entry's consumers have. */
export interface Acceptance {
  /**
   * `accepted`, `refused`: by every probe, for all that the entry grants. `unclear`: some probes were refused, or nothing was
   * learnt from one. `not asked` never means that it is well.
   */
  readonly answer: 'accepted' | 'refused' | 'unclear' | 'not asked';
  /** For people; present unless it is accepted. */
  readonly why?: string;
  /** Of `unclear`: some probes were refused, so that some consumers are. */
  readonly mixed?: true;
}

/** A person waits for the answer. */
const ALL_MS = 2 * MINUTE_MS;
/** One entry whose answers come late takes no more from the others. */
const EACH_MS = 20_000;

const notAsked = (why: string): Acceptance => ({ answer: 'not asked', why });
const NO_TIME = notAsked('there was no time left to ask');

/** Of several bursts, each about a part of what the entry grants. */
function together(results: readonly BurstResult[]): Acceptance {
  // A refusal is one, whatever another probe does not say.
  const bad = results.find(
    ({ answer, mixed, refusals }) => answer === 'refused' || mixed || refusals,
  );
  if (bad) {
    const why = bad.refusals ?? bad.detail ?? bad.answer;
    const isRefused = results.every(({ answer }) => answer === 'refused');
    return isRefused ? { answer: 'refused', why } : { answer: 'unclear', why, mixed: true };
  }
  const silent = results.find(({ answer }) => answer === 'indeterminate');
  if (silent) return { answer: 'unclear', why: silent.detail ?? silent.answer };
  const unasked = results.find(({ answer }) => answer === 'nothing-to-probe');
  if (unasked || results.length === 0) {
    return notAsked(unasked?.detail ?? 'the entry grants nothing');
  }
  return { answer: 'accepted' };
}

async function askOne(
  entry: TokenPolicy,
  { secrets, databases }: Pick<Observation, 'secrets' | 'databases'>,
  end: number,
  tools: Tools,
): Promise<Acceptance> {
  const { policy, now } = tools;
  if (now() >= end) return NO_TIME;
  const seen = secrets.get(entry.secret);
  if (seen && seen.secret.deletedAt !== undefined) {
    return notAsked('nobody can read the secret: its deletion is scheduled');
  }
  // The string works there, and is nothing for this one to see.
  if (seen && isOfAnotherCluster(seen.secret, policy.cluster.url)) {
    return notAsked('its tokens are of another cluster');
  }
  let value: TokenValue | undefined;
  try {
    value = await readStringOfConsumers(entry, seen, tools);
  } catch (error) {
    tools.log.warn('a value could not be read', { secret: entry.secret, error });
    // It names the call and what AWS said; a value that cannot be read is in no error.
    return notAsked(`its value could not be read: ${redact(messageOf(error))}`);
  }
  if (!value) return notAsked('no string was found that consumers could send');
  if (!isSendable(value)) return { answer: 'refused', why: 'the string is none that can be sent' };
  const isKnown = knownDatabases(policy, databases);
  const deadline = Math.min(end, now() + EACH_MS);
  const results: BurstResult[] = [];
  for (const permissions of samplesOf(probeable(entry.permissions, isKnown))) {
    const options = { databases: namedDatabases(policy), deadline };
    const result = await tools.dataPlane.burst(value, permissions, options);
    results.push(result);
    if (result.answer === 'indeterminate') break;
  }
  const found = together(results);
  const isCut = found.answer === 'unclear' && !found.mixed && now() >= end;
  return isCut ? NO_TIME : found;
}

/**
 * Asks the data plane about the strings that consumers have now, for all that their entries grant, and changes nothing. Entries are
 * taken in an order of chance, a few at a time and each to its end: where time is too short for all, those that were
 * asked have an answer, and the next look asks others. By the name of the secret.
 */
export async function askConsumersStrings(
  observation: Observation,
  { tokens }: Pick<RotateRequest, 'tokens'>,
  tools: Tools,
): Promise<ReadonlyMap<string, Acceptance>> {
  const { policy, random, now, deadline } = tools;
  const end = Math.min(now() + ALL_MS, deadline);
  const drawn = policy.tokens
    .filter(({ name }) => tokens?.includes(name) ?? true)
    .map((entry) => ({ entry, chance: random() }))
    .sort((a, b) => a.chance - b.chance);
  const turn = pLimit(policy.concurrency);
  const asked = drawn.map(({ entry }) =>
    turn(async () => [entry.secret, await askOne(entry, observation, end, tools)] as const),
  );
  return new Map(await Promise.all(asked));
}
