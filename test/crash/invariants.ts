import { type History, inUse, type Step } from './history.ts';
import { OWNER } from './policy.ts';
import {
  isAlive,
  isArmed,
  isExpired,
  isOnHold,
  pendingOf,
  type SeenSecret,
  type SeenToken,
  type View,
} from './view.ts';

/** What the checks know of the policy, and the data plane's word on a token string. */
export interface Terms {
  readonly gracePeriod: number;
  readonly limits: { readonly percent: number; readonly tokens: number };
  /** Whether it may do all that the policy grants. */
  accepts(string: string): boolean;
}

export type Violations = Generator<string>;

export const short = (id: string) => id.slice(0, 8);

export const secretOf = ({ marker }: SeenToken, { secrets }: View) =>
  secrets.get(marker.secret ?? '');

/** The first version of a secret, until its token was armed. */
const isFirst = (history: History, { name }: SeenSecret, token: SeenToken) =>
  history.first[name] === token.id && token.marker.fp === undefined;

function weakness(token: SeenToken, label: string, now: number): string | undefined {
  // An expired token may well be AWSPREVIOUS, and be deleted.
  if (isExpired(token, now)) return label === 'AWSCURRENT' ? 'has expired' : undefined;
  if (!isAlive(token)) return 'was deleted';
  return isArmed(token) ? undefined : 'has no permissions';
}

/** A: AWSCURRENT names a live, armed token that passed a probe; AWSPREVIOUS names one that works. */
function* labelsNameWorkingTokens(history: History, { after }: Step): Violations {
  for (const secret of after.secrets.values()) {
    for (const label of ['AWSCURRENT', 'AWSPREVIOUS']) {
      const token = after.tokens.get(secret.labels[label] ?? '');
      if (!token || history.exempt[token.id] || isFirst(history, secret, token)) continue;
      const why = weakness(token, label, after.at);
      if (why) yield `A: ${label} of ${secret.name}, ${short(token.id)}, ${why}`;
    }
  }
}

function* promotionsWereProved(history: History, { call, before, after }: Step): Violations {
  if (call.caller === undefined) return;
  for (const { name, labels } of after.secrets.values()) {
    const { AWSCURRENT: version = '' } = labels;
    if (before.secrets.get(name)?.labels.AWSCURRENT === version) continue;
    if (history.first[name] === version || history.accepted[version]) continue;
    if (version)
      yield `A: ${short(version)} was promoted in ${name} and no probe had been accepted`;
  }
}

/** Why a schedule may not take this token away; undefined: it may. */
function protection(
  token: SeenToken,
  history: History,
  view: View,
  { gracePeriod }: Terms,
): string | undefined {
  const secret = secretOf(token, view);
  if (!secret) return undefined;
  if (isOnHold(secret) || isExpired(token, view.at)) return undefined;
  if (secret.labels.AWSCURRENT === token.id) return 'AWSCURRENT';
  if (pendingOf(secret, view.tokens) === token.id) return 'pending';
  if (history.exempt[token.id]) return undefined;
  const until = history.reigns.findLast(({ version }) => version === token.id)?.until;
  return until !== undefined && view.at < until + gracePeriod ? 'within its grace' : undefined;
}

function isTaken(token: SeenToken, now: SeenToken | undefined): boolean {
  if (!now || !isAlive(token)) return false;
  return !isAlive(now) || now.permissions.length < token.permissions.length;
}

export function leavesProven(token: SeenToken, secret: SeenSecret, view: View): boolean {
  const current = view.tokens.get(secret.labels.AWSCURRENT ?? '');
  if (!current || current === token) return false;
  return isAlive(current) && isArmed(current) && !isExpired(current, view.at);
}

/** B: nothing in use is stripped or deleted by a schedule. F: and no more than the limit. */
function* takesOnlyTheRetired(history: History, step: Step, terms: Terms): Violations {
  const { call, before, after } = step;
  const caller = call.caller;
  if (caller === undefined) return;
  for (const token of before.tokens.values()) {
    const secret = secretOf(token, before);
    if (!secret || !isTaken(token, after.tokens.get(token.id))) continue;
    const why = protection(token, history, before, terms);
    if (why) yield `B: ${call.operation} took ${short(token.id)} away, which is ${why}`;
    const neverArmed = token.marker.fp === undefined && !isArmed(token);
    if (neverArmed || isOnHold(secret) || leavesProven(token, secret, before)) continue;
    history.taken[caller] = (history.taken[caller] ?? 0) + 1;
    const owned = [...before.tokens.values()].filter(({ marker }) => marker.owner === OWNER).length;
    const { percent, tokens } = terms.limits;
    const allowed = Math.max(Math.floor((owned * percent) / 100), tokens);
    if (history.taken[caller] > allowed) yield `F: ${caller} took away more than ${allowed}`;
  }
}

/** B: nor is it marked, by a run that could know (a person may act after its last look). */
function* marksOnlyTheReplaced(history: History, { call, before, after }: Step): Violations {
  if (call.operation !== 'PATCH /tokens/{id}' || call.caller === undefined) return;
  const used = history.looked[call.caller] ?? inUse(before);
  for (const [id, { marker }] of after.tokens) {
    const isMarked = marker.superseded !== before.tokens.get(id)?.marker.superseded;
    if (isMarked && marker.superseded && used.includes(id)) {
      yield `B: ${short(id)} was marked superseded, and is AWSCURRENT or pending`;
    }
  }
}

/** C: a token gets a permission only after its string is stored. */
function* armsOnlyTheStored(history: History, { after }: Step): Violations {
  for (const token of after.tokens.values()) {
    if (!history.minted[token.id] || !isArmed(token) || history.stored[token.id]) continue;
    yield `C: ${short(token.id)} has permissions and no secret holds it`;
  }
}

/** What of a token is nobody's but its owner's. */
export const imprint = ({ description, permissions, revokedAt }: SeenToken) =>
  JSON.stringify({ description, permissions, revokedAt });

/** E: tokens of others stay as they are. */
function* leavesForeignAlone({ foreign }: History, { after }: Step): Violations {
  for (const [id, was] of Object.entries(foreign)) {
    const token = after.tokens.get(id);
    if (!token || imprint(token) !== was) yield `E: the foreign token ${short(id)} was changed`;
  }
}

/** J: whoever re-read the secret within a grace period holds a string that the data plane takes. */
function* refusesNoConsumer(history: History, { after }: Step, terms: Terms): Violations {
  const since = after.at - terms.gracePeriod;
  const held = history.reigns.filter(({ until = after.at }) => until > since || until === after.at);
  for (const version of new Set(held.map(({ version }) => version))) {
    const token = after.tokens.get(version);
    const string = history.strings[version];
    if (!token || string === undefined || history.exempt[version]) continue;
    // A secret's first consumers wait until there is something that works.
    if (!history.accepted[version]) continue;
    if (!terms.accepts(string)) yield `J: a consumer of ${short(version)} was refused`;
  }
}

/** Everything that one request did wrong, by the invariants of the design. */
export function* violations(history: History, step: Step, terms: Terms): Violations {
  yield* labelsNameWorkingTokens(history, step);
  yield* promotionsWereProved(history, step);
  yield* takesOnlyTheRetired(history, step, terms);
  yield* marksOnlyTheReplaced(history, step);
  yield* armsOnlyTheStored(history, step);
  yield* leavesForeignAlone(history, step);
  yield* refusesNoConsumer(history, step, terms);
}
