import type { BurstResult } from '../data-plane/data-plane.ts';
import type { Permission } from '../management-api/token.ts';
import { entryOf, namedDatabases, type TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { HOUR_MS } from '../time.ts';
import type { Observation, ObservedSecret } from '../tokens/observation.ts';
import { currentHolder, provenCurrent, versionTime } from '../tokens/state.ts';
import { forbidden } from './plan/decide-rotation.ts';
import { knownDatabases, probeable } from './plan/permissions.ts';
import { isSendable, samplesOf, stringOfConsumers } from './string-of-consumers.ts';

/** A person may still be about to say whose string it is. */
const YOUNG_MS = HOUR_MS;
/** How many other strings are tried, until one is accepted. */
const MOST_CONTROLS = 3;

type Candidate = readonly [TokenPolicy, ObservedSecret, ...unknown[]];
/** With what its token may do, as far as a probe can decide it. */
type Control = readonly [TokenPolicy, ObservedSecret, readonly Permission[]];

/** Whether the whole data plane refuses a string that nobody knows, for every permission of its entry. */
async function isRefused(candidate: Candidate, tools: Tools): Promise<boolean> {
  const [entry] = candidate;
  const value = await stringOfConsumers(entry, candidate[1], tools);
  if (!value) return false;
  // No cluster accepts what cannot be sent.
  if (!isSendable(value)) return true;
  const databases = namedDatabases(tools.policy);
  for (const permissions of samplesOf(entry.permissions)) {
    const { answer } = await tools.dataPlane.burst(value, permissions, { databases });
    if (answer !== 'refused') return false;
  }
  return true;
}

/** What the data plane says of a token that consumers have: for what it may do a sample does. */
async function answerTo(control: Control, tools: Tools): Promise<BurstResult['answer']> {
  const value = await stringOfConsumers(control[0], control[1], tools);
  if (!value) return 'indeterminate';
  const databases = namedDatabases(tools.policy);
  const { answer, mixed } = await tools.dataPlane.burst(value, control[2], { databases });
  // Consumers meet the router that refuses it, too.
  return mixed ? 'refused' : answer;
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
