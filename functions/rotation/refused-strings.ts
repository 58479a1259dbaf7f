import { entryOf, namedDatabases, type TokenPolicy } from '../policy/policy.ts';
import type { Tools } from '../run/tools.ts';
import { HOUR_MS } from '../time.ts';
import { TokenValue } from '../token-value.ts';
import type { Observation, ObservedSecret } from '../tokens/observation.ts';
import { readTokenString, SecretShapeError } from '../tokens/secret-string.ts';
import { currentHolder, provenCurrent, versionTime } from '../tokens/state.ts';
import { forbidden } from './plan/decide-rotation.ts';

/** A person may still be about to say whose string it is. */
const YOUNG_MS = HOUR_MS;
/** How many other strings are tried, until one is accepted. */
const MOST_CONTROLS = 3;
/** What a header can carry: RFC 9110, section 5.5. */
const SENDABLE = /^[\x21-\x7e]+$/;

type Candidate = readonly [TokenPolicy, ObservedSecret];

function currentText(
  { secret }: TokenPolicy,
  seen: ObservedSecret,
  { secrets }: Tools,
): Promise<TokenValue | undefined> {
  return secrets.value(secret, seen.secret.labels.AWSCURRENT);
}

/** The string that consumers send: where the value has another form than expected, all of it. */
function stringIn(entry: TokenPolicy, text: TokenValue): TokenValue {
  try {
    return readTokenString(entry, text);
  } catch (error) {
    if (!(error instanceof SecretShapeError)) throw error;
    return new TokenValue(text.reveal().trim());
  }
}

async function isAnswered(
  answer: 'accepted' | 'refused',
  [entry, seen]: Candidate,
  tools: Tools,
): Promise<boolean> {
  const text = await currentText(entry, seen, tools);
  if (!text) return false;
  const value = stringIn(entry, text);
  // No cluster accepts what cannot be sent.
  if (!SENDABLE.test(value.reveal())) return answer === 'refused';
  const databases = namedDatabases(tools.policy);
  const burst = await tools.dataPlane.burst(value, entry.permissions, { databases });
  return burst.answer === answer;
}

function candidates({ secrets, at }: Observation, tools: Tools) {
  const unknown: Candidate[] = [];
  const controls: Candidate[] = [];
  for (const [name, seen] of secrets) {
    const entry = entryOf(tools.policy, name);
    if (!entry || forbidden(seen)) continue;
    const madeAt = versionTime(seen, seen.secret.labels.AWSCURRENT ?? '');
    const isOld = madeAt !== undefined && at - madeAt > YOUNG_MS;
    if (currentHolder(seen)?.state === 'unknown' && isOld) unknown.push([entry, seen]);
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
