import type { BurstResult } from '../data-plane/data-plane.ts';
import type { Permission } from '../management-api/token.ts';
import { entryOf, namedDatabases, type TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { HOUR_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import type { Observation, ObservedSecret } from '../tokens/observation.ts';
import { stringForConsumers } from '../tokens/secret-string.ts';
import { currentHolder, provenCurrent, versionTime } from '../tokens/state.ts';
import { forbidden } from './plan/decide-rotation.ts';
import { knownDatabases, probeable } from './plan/permissions.ts';
import { formerText } from './successor.ts';

/** A person may still be about to say whose string it is. */
const YOUNG_MS = HOUR_MS;
/** How many other strings are tried, until one is accepted. */
const MOST_CONTROLS = 3;
/** How many permissions one burst is sure to ask about. */
const BURST = 10;
/** What a header can carry: RFC 9110, section 5.5. */
const SENDABLE = /^[\x21-\x7e]+$/;

type Candidate = readonly [TokenPolicy, ObservedSecret, ...unknown[]];
/** With what its token may do, as far as a probe can decide it. */
type Control = readonly [TokenPolicy, ObservedSecret, readonly Permission[]];

/** Undefined: a value that cannot be read, or of which nobody can tell what consumers send of it. It answers nothing. */
async function readable(candidate: Candidate, tools: Tools): Promise<TokenValue | undefined> {
  const [entry, seen] = candidate;
  try {
    // Of bytes, which it refuses, nobody can tell what consumers send.
    const text = await tools.secrets.value(entry.secret, seen.secret.labels.AWSCURRENT);
    const hints = text && (await formerText(entry, seen, tools));
    return text && hints && stringForConsumers(entry, text, hints);
  } catch (error) {
    tools.log.warn('a value could not be read', { secret: entry.secret, error });
    return undefined;
  }
}

/** Whether the whole data plane refuses a string that nobody knows, for every permission of its entry. */
async function isRefused(candidate: Candidate, tools: Tools): Promise<boolean> {
  const [entry] = candidate;
  const value = await readable(candidate, tools);
  if (!value) return false;
  // No cluster accepts what cannot be sent.
  if (!SENDABLE.test(value.reveal())) return true;
  const databases = namedDatabases(tools.policy);
  for (const permissions of samplesOf(entry.permissions)) {
    const { answer } = await tools.dataPlane.burst(value, permissions, { databases });
    if (answer !== 'refused') return false;
  }
  return true;
}

/** What the data plane says of a token that consumers have: for what it may do a sample does. */
async function answerTo(control: Control, tools: Tools): Promise<BurstResult['answer']> {
  const value = await readable(control, tools);
  if (!value) return 'indeterminate';
  const databases = namedDatabases(tools.policy);
  const { answer, mixed } = await tools.dataPlane.burst(value, control[2], { databases });
  // Consumers meet the router that refuses it, too.
  return mixed ? 'refused' : answer;
}

/** A burst has ten probes, and every permission must be asked about. */
function samplesOf(permissions: readonly Permission[]) {
  const count = Math.ceil(permissions.length / BURST);
  return Array.from({ length: count }, (_, index) =>
    permissions.slice(index * BURST, (index + 1) * BURST),
  );
}

function candidates({ secrets, at, databases }: Observation, tools: Tools) {
  const isKnown = knownDatabases(tools.policy, databases);
  const unknown: Candidate[] = [];
  const controls: Control[] = [];
  for (const [name, seen] of secrets) {
    const entry = entryOf(tools.policy, name);
    if (!entry || forbidden(seen)) continue;
    const madeAt = versionTime(seen, seen.secret.labels.AWSCURRENT ?? '');
    const isOld = madeAt !== undefined && at - madeAt > YOUNG_MS;
    const state = currentHolder(seen)?.state;
    if ((state === 'unknown' || state === 'empty') && isOld) unknown.push([entry, seen]);
    const current = provenCurrent(seen, at);
    if (current) controls.push([entry, seen, probeable(current.token.permissions, isKnown)]);
  }
  return { unknown, controls: controls.slice(0, MOST_CONTROLS) };
}

/**
 * The secrets whose AWSCURRENT nobody knows, and which the whole data plane refuses for every permission of
 * the entry, while it accepts another string of this policy: a refusal alone may be a data plane that
 * refuses everybody. And those whose AWSCURRENT it refuses though it is known: that was asked about, and
 * its consumers are refused.
 */
export async function findRefused(
  observation: Observation,
  tools: Tools,
): Promise<ReadonlySet<string>> {
  const { unknown, controls } = candidates(observation, tools);
  if (unknown.length === 0) return new Set();
  const refused = await Promise.all(
    unknown.map(async (each) => ((await isRefused(each, tools)) ? [each[0].secret] : [])),
  );
  if (refused.flat().length === 0) return new Set();
  const known: string[] = [];
  for (const control of controls) {
    const answer = await answerTo(control, tools);
    if (answer === 'accepted') return new Set([...refused.flat(), ...known]);
    if (answer === 'refused') known.push(control[0].secret);
  }
  return new Set(known);
}
