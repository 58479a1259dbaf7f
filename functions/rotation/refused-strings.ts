import type { Permission } from '../management-api/token.ts';
import { entryOf, namedDatabases, type TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { HOUR_MS } from '../time.ts';
import type { TokenValue } from '../token-value.ts';
import type { Observation, ObservedSecret } from '../tokens/observation.ts';
import { stringForConsumers } from '../tokens/secret-string.ts';
import { currentHolder, provenCurrent, versionTime } from '../tokens/state.ts';
import { forbidden } from './plan/decide-rotation.ts';
import { formerText } from './successor.ts';

/** A person may still be about to say whose string it is. */
const YOUNG_MS = HOUR_MS;
/** How many other strings are tried, until one is accepted. */
const MOST_CONTROLS = 3;
/** How many permissions one burst is sure to ask about. */
const BURST = 10;
/** What a header can carry: RFC 9110, section 5.5. */
const SENDABLE = /^[\x21-\x7e]+$/;

type Candidate = readonly [TokenPolicy, ObservedSecret];

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

async function isAnswered(
  answer: 'accepted' | 'refused',
  candidate: Candidate,
  tools: Tools,
): Promise<boolean> {
  const [entry] = candidate;
  const value = await readable(candidate, tools);
  if (!value) return false;
  // No cluster accepts what cannot be sent.
  if (!SENDABLE.test(value.reveal())) return answer === 'refused';
  const databases = namedDatabases(tools.policy);
  for (const permissions of samplesOf(entry.permissions, answer)) {
    const burst = await tools.dataPlane.burst(value, permissions, { databases });
    if (burst.answer !== answer) return false;
  }
  return true;
}

/** A burst has ten probes. That a string is refused must be asked of every permission; for a control a sample does. */
function samplesOf(permissions: readonly Permission[], answer: 'accepted' | 'refused') {
  if (answer === 'accepted') return [permissions];
  const count = Math.ceil(permissions.length / BURST);
  return Array.from({ length: count }, (_, index) =>
    permissions.slice(index * BURST, (index + 1) * BURST),
  );
}

function candidates({ secrets, at }: Observation, tools: Tools) {
  const unknown: Candidate[] = [];
  const controls: Candidate[] = [];
  for (const [name, seen] of secrets) {
    const entry = entryOf(tools.policy, name);
    if (!entry || forbidden(seen)) continue;
    const madeAt = versionTime(seen, seen.secret.labels.AWSCURRENT ?? '');
    const isOld = madeAt !== undefined && at - madeAt > YOUNG_MS;
    const state = currentHolder(seen)?.state;
    if ((state === 'unknown' || state === 'empty') && isOld) unknown.push([entry, seen]);
    if (provenCurrent(seen, at)) controls.push([entry, seen]);
  }
  return { unknown, controls: controls.slice(0, MOST_CONTROLS) };
}

/**
 * The secrets whose AWSCURRENT nobody knows, and which the whole data plane refuses for every permission of
 * the entry, while it accepts another string of this policy: a refusal alone may be a data plane that
 * refuses everybody.
 */
export async function findRefused(
  observation: Observation,
  tools: Tools,
): Promise<ReadonlySet<string>> {
  const { unknown, controls } = candidates(observation, tools);
  if (unknown.length === 0) return new Set();
  const refused = await Promise.all(
    unknown.map(async (each) =>
      (await isAnswered('refused', each, tools)) ? [each[0].secret] : [],
    ),
  );
  if (refused.flat().length === 0) return new Set();
  for (const control of controls) {
    if (await isAnswered('accepted', control, tools)) return new Set(refused.flat());
  }
  return new Set();
}
