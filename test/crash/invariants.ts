import { allInUse, type History, isOfSchedule, type Step, touchedIn } from './history.ts';
import { OWNER } from './policy.ts';
import type { Terms } from './terms.ts';
import {
  holdOf,
  inUse,
  isAlive,
  isArmed,
  isExpired,
  isOnHold,
  isPastedUnseen,
  type SeenSecret,
  type SeenToken,
  type SeenVersion,
  secretOf,
  type View,
  wasEverArmed,
} from './view.ts';

export type Violations = Generator<string>;

export const short = (id: string) => id.replace('keyturn-', '').slice(0, 8);

/** A secret's first token, until it was armed; a person may have saved its string meanwhile. */
const isFirst = ({ first }: History, { home, versions }: SeenSecret, token: SeenToken) =>
  !wasEverArmed(token) && versions.find(({ id }) => id === first[home])?.token === token.id;

/** Its entry left the policy, which renews it no more: it lives until it expires. */
const isLeft = (secret: SeenSecret | undefined, { listed }: Terms): boolean =>
  secret !== undefined && !listed.includes(secret.name);

function weakness(
  token: SeenToken,
  label: string,
  { now, isRenewed }: { readonly now: number; readonly isRenewed: boolean },
): string | undefined {
  // An expired token may well be AWSPREVIOUS, and be deleted.
  if (isExpired(token, now)) return label === 'AWSCURRENT' && isRenewed ? 'has expired' : undefined;
  if (!isAlive(token)) return 'was deleted';
  return isArmed(token) ? undefined : 'has no permissions';
}

/** A: AWSCURRENT names a live, armed token that passed a probe; AWSPREVIOUS names one that works. */
function* labelsNameWorkingTokens(history: History, step: Step, terms: Terms): Violations {
  const { after } = step;
  const labels = touchedIn(step).secrets.flatMap((secret) =>
    ['AWSCURRENT', 'AWSPREVIOUS'].map((label) => ({ secret, label })),
  );
  for (const { secret, label } of labels) {
    const token = after.tokens.get(secret.holders[label] ?? '');
    if (!token || terms.isRetired(secret.name)) continue;
    if (isPastedUnseen(token, secret)) continue;
    if (history.foreign[token.id] || history.exempt[token.id]) continue;
    const about = { now: after.at, isRenewed: !isLeft(secret, terms) };
    const why = !isFirst(history, secret, token) && weakness(token, label, about);
    if (why) yield `A: ${label} of ${secret.name}, ${short(token.id)}, ${why}`;
  }
}

/** Secrets in which a run made another version current; not their first one. */
export const promotedIn = ({ first }: History, step: Step): SeenSecret[] =>
  touchedIn(step).secrets.filter(({ name, home, labels: { AWSCURRENT: version } }) => {
    if (version === undefined || first[home] === version) return false;
    return step.before.secrets.get(name)?.labels.AWSCURRENT !== version;
  });

/**
 * A: nothing is promoted before it was probed, and every router accepts it. An order that ends first has nothing better to give:
 * whether it saw that work, its answer says.
 */
function* promotionsWereProved(history: History, step: Step, terms: Terms): Violations {
  const { call, isOrdered, endedFirst } = step;
  if (call.caller === undefined) return;
  const isLast = ({ name }: SeenSecret) => isOrdered && endedFirst?.has(name) === true;
  for (const secret of promotedIn(history, step).filter((each) => !isLast(each))) {
    const { AWSCURRENT: token = '' } = secret.holders;
    // The request waited, and meanwhile another order froze the secret and saw the string refused: it stays under that hold.
    if (history.ordered[token] && isOnHold(secret)) continue;
    const promoted = `A: ${short(token)} was promoted in ${secret.name}`;
    if (!history.accepted[token]) yield `${promoted} and no probe had been accepted`;
    if (history.exempt[token]) continue;
    const granted = history.granted[token] ?? [];
    const works = granted.length > 0 && terms.accepts(history.strings[token], granted);
    if (!works) yield `${promoted} and is not accepted everywhere`;
  }
}

/** Of the very secret, which a person may have deleted for good since, and made anew. */
const wasHeldAtLook = (
  home: string | undefined,
  { obeyed }: History,
  { caller = '' }: Step['call'],
): boolean => home !== undefined && obeyed[caller]?.includes(home) === true;

const wasFrozenAtLook = (
  home: string | undefined,
  { froze }: History,
  { caller = '' }: Step['call'],
): boolean => home !== undefined && froze[caller]?.includes(home) === true;

/** Of all secrets, since people paste strings. */
const lastReignOf = ({ reigns }: History, token: string) =>
  Object.values(reigns)
    .flatMap((all) => all.findLast((reign) => reign.token === token) ?? [])
    .sort((a, b) => a.from - b.from)
    .at(-1);

/** Why a schedule may not take this token away; undefined: it may. */
function protection(
  token: SeenToken,
  history: History,
  { call, before: view }: Step,
  { gracePeriod, isRetired }: Terms,
): string | undefined {
  const secret = secretOf(token, view);
  if (isOnHold(secret) || isExpired(token, view.at)) return undefined;
  if (wasHeldAtLook(token.marker.home, history, call)) {
    // No rule can close that moment: InfluxDB has no compare-and-set.
    history.exempt[token.id] ??= 'its hold was taken away after the last look';
    return undefined;
  }
  if (secret && !isRetired(secret.name) && inUse(secret, view.tokens).includes(token.id)) {
    const used = secret.holders.AWSCURRENT === token.id ? 'AWSCURRENT' : 'pending';
    const isPlaced = history.placed[secret.labels.AWSCURRENT ?? ''];
    const looked = history.looked[call.caller ?? ''];
    if (!isPlaced || !looked || looked.includes(token.id)) return used;
    // No rule can close that moment: InfluxDB has no compare-and-set.
    history.exempt[token.id] ??= 'put back by a person after the last look';
    return undefined;
  }
  if (history.exempt[token.id]) return undefined;
  const until = lastReignOf(history, token.id)?.until;
  return until !== undefined && view.at < until + gracePeriod ? 'within its grace' : undefined;
}

/** It was deleted, or cannot do any more what it could at first. */
function isTaken(history: History, token: SeenToken, now: SeenToken | undefined): boolean {
  if (!now || now === token || !isAlive(token)) return false;
  const first = history.granted[token.id] ?? [];
  const left = ({ permissions }: SeenToken) =>
    first.filter((one) =>
      permissions.some(
        ({ action, resource }) => action === one.action && resource === one.resource,
      ),
    ).length;
  return !isAlive(now) || left(now) < left(token);
}

export function leavesProven(token: SeenToken, secret: SeenSecret, view: View): boolean {
  const current = view.tokens.get(secret.holders.AWSCURRENT ?? '');
  if (!current || current === token) return false;
  return isAlive(current) && isArmed(current) && !isExpired(current, view.at);
}

type Kind =
  | 'endings without a proven successor'
  | 'deletions of tokens of others'
  | 'replacements of tokens that are gone';

/** F: a run does no more of a kind than the limit, which is a share of `total`. */
function* staysWithin(
  history: History,
  kind: Kind,
  { caller, total }: { readonly caller: string; readonly total: number },
  { limits: { percent, tokens } }: Terms,
): Violations {
  const key = `${caller} ${kind}`;
  const done = (history.limited[key] ?? 0) + 1;
  history.limited[key] = done;
  const allowed = Math.max(Math.floor((total * percent) / 100), tokens);
  if (done > allowed) yield `F: ${done} ${kind} in a run of ${caller}; the limit is ${allowed}`;
}

/** B: nothing in use is stripped or deleted by a schedule. F: and no more than the limit. */
function* takesOnlyTheRetired(history: History, step: Step, terms: Terms): Violations {
  const { call, before, after } = step;
  const caller = call.caller;
  if (caller === undefined || !isOfSchedule(step)) return;
  for (const { id } of touchedIn(step).tokens) {
    const token = before.tokens.get(id);
    if (!token || history.foreign[id] || !isTaken(history, token, after.tokens.get(id))) continue;
    const why = protection(token, history, step, terms);
    if (why) yield `B: ${call.operation} took ${short(token.id)} away, which is ${why}`;
    const secret = secretOf(token, before);
    const neverArmed = !wasEverArmed(token) && !isArmed(token);
    if (!secret || neverArmed || isOnHold(secret) || leavesProven(token, secret, before)) continue;
    const total = [...before.tokens.values()].filter(({ marker }) => marker.owner === OWNER).length;
    yield* staysWithin(history, 'endings without a proven successor', { caller, total }, terms);
  }
}

/** H: of what is frozen a schedule takes the permissions, which can be given back, and no more. */
function* deletesNothingFrozen(history: History, step: Step): Violations {
  const { call, before, after } = step;
  if (!isOfSchedule(step)) return;
  for (const { id } of touchedIn(step).tokens) {
    const token = before.tokens.get(id);
    const now = after.tokens.get(id);
    if (!token || !now || !isAlive(token) || isAlive(now) || history.foreign[id]) continue;
    const secret = secretOf(token, before);
    // What has expired is no loss, and what was condemned at the last look was given back only since.
    if (holdOf(secret) !== 'frozen' || isExpired(token, before.at) || !wasEverArmed(token))
      continue;
    if (!wasFrozenAtLook(secret?.home, history, call)) continue;
    yield `H: ${call.operation} deleted ${short(id)}, whose secret is frozen alone`;
  }
}

/** F: no more tokens are replaced because somebody deleted them than the limit says. */
function* replacesFewGone(history: History, step: Step, terms: Terms): Violations {
  const { call, before, began } = step;
  const { caller } = call;
  if (caller === undefined || began === undefined || !isOfSchedule(step)) return;
  for (const secret of touchedIn(step).secrets) {
    const former = before.secrets.get(secret.name);
    const isStored = former && secret.versions.length > former.versions.length;
    const token = before.tokens.get(former?.holders.AWSCURRENT ?? '');
    // An order that ended it answers for that; what expired is due by itself.
    if (!isStored || !token || history.ordered[token.id] || isExpired(token, began)) continue;
    if (token.revokedAt === undefined || token.revokedAt > began - terms.shownWithin()) continue;
    const total = [...before.tokens.values()].filter(({ marker }) => marker.owner === OWNER).length;
    yield* staysWithin(history, 'replacements of tokens that are gone', { caller, total }, terms);
  }
}

/** What is left of the value of a version without its token's string; undefined: nobody knows that string. */
function restOf({ strings }: History, { secretString = '', token }: SeenVersion) {
  const string = strings[token ?? ''];
  return string === undefined ? undefined : secretString.split(string).join('');
}

/** Of a value that people share with us, everything but the string stays as it is, to the byte. */
function* keepsWhatIsBeside(history: History, step: Step, terms: Terms): Violations {
  if (step.call.caller === undefined) return;
  for (const secret of touchedIn(step).secrets) {
    const former = step.before.secrets.get(secret.name);
    if (!former || !terms.keyed.includes(secret.name)) continue;
    const rests = former.versions.map((each) => restOf(history, each));
    // Of a text whose string nobody knows, as of a placeholder, nobody can say what is beside it.
    if (rests.length === 0 || rests.includes(undefined)) continue;
    const known = former.versions.map(({ id }) => id);
    const made = secret.versions.find(({ id }) => !known.includes(id));
    if (made && !rests.includes(restOf(history, made)))
      yield `what stands beside the string in ${secret.name} was changed: ${made.id}`;
  }
}

/** A person pasted another secret's string: it ends with that one's, which is on hold or has a successor for its own consumers. */
function isEndedElsewhere(token: SeenToken, secret: SeenSecret, view: View): boolean {
  const own = secretOf(token, view);
  if (own === undefined || own === secret) return false;
  return isOnHold(own) || leavesProven(token, own, view);
}

/** B: an order takes from consumers what they have only under a hold; a replacement comes first, unless it is to be last. */
function* ordersLeaveConsumersSomething(history: History, step: Step): Violations {
  const { call, isOrdered, endedFirst, before, after } = step;
  if (!isOrdered) return;
  const looked = history.looked[call.caller ?? ''] ?? [];
  for (const secret of before.secrets.values()) {
    const token = before.tokens.get(secret.holders.AWSCURRENT ?? '');
    if (!token || !isTaken(history, token, after.tokens.get(token.id))) continue;
    const isBarred = secret.tags['keyturn:owner'] === undefined; // nobody can put it on hold
    if (isBarred || isEndedElsewhere(token, secret, before)) continue;
    // A person may have put it back since, or taken the hold away.
    const mayEnd = isOnHold(secret) || wasHeldAtLook(secret.home, history, call);
    if (mayEnd || endedFirst?.has(secret.name) || secret.isDeleted || !looked.includes(token.id))
      continue;
    yield `B: an order took ${short(token.id)} away, which is AWSCURRENT, and there is no hold`;
  }
}

/** B: nor is it marked, by a run that could know (a person may act after its last look). */
function* marksOnlyTheReplaced(history: History, step: Step, terms: Terms): Violations {
  const { call, before, after } = step;
  if (call.operation !== 'PATCH /tokens/{id}' || call.caller === undefined) return;
  const used = history.looked[call.caller] ?? allInUse(before, terms);
  for (const token of touchedIn(step).tokens) {
    const { id } = token;
    const { superseded } = token.marker;
    const isMarked = superseded !== before.tokens.get(id)?.marker.superseded;
    // Its own secret's rotation marks what a person pasted into another one, too; `shared` keeps that alive.
    const own = secretOf(token, after);
    const isUsed = used.includes(id) && own && inUse(own, after.tokens).includes(id);
    if (isMarked && superseded && isUsed) {
      yield `B: ${short(id)} was marked superseded, and is AWSCURRENT or pending`;
    }
  }
}

/** C: a token gets a permission only after its string is stored. */
function* armsOnlyTheStored(history: History, step: Step): Violations {
  for (const token of touchedIn(step).tokens) {
    if (!history.minted[token.id] || !isArmed(token) || history.stored[token.id]) continue;
    yield `C: ${short(token.id)} has permissions and no secret holds it`;
  }
}

/** What of a token is nobody's but its owner's. */
const imprint = ({ description, permissions, revokedAt }: SeenToken) =>
  JSON.stringify({ description, permissions, revokedAt });

/** E: a schedule leaves tokens of others as they are, but for expired ones where the policy says so. F: within the limit. */
function* leavesForeignAlone(history: History, step: Step, terms: Terms): Violations {
  const { call, before, after } = step;
  const { caller } = call;
  if (caller === undefined || !isOfSchedule(step)) return;
  const foreign = Object.keys(history.foreign).flatMap((id) => before.tokens.get(id) ?? []);
  for (const was of foreign) {
    const is = after.tokens.get(was.id);
    // A life forgets what was deleted long ago.
    const isAsItWas = is ? is === was || imprint(is) === imprint(was) : !isAlive(was);
    if (isAsItWas) continue;
    const mayGo = terms.deletesExpired && isExpired(was, before.at) && !(is && isAlive(is));
    // A person may have taken its marker after the last look.
    if (history.disowned[was.id]) continue;
    if (!mayGo) yield `E: the foreign token ${short(was.id)} was changed`;
    const total = foreign.length;
    yield* staysWithin(history, 'deletions of tokens of others', { caller, total }, terms);
  }
}

/** The tokens that consumers may hold who re-read their secret at an instant, or since. */
function heldSince({ reigns }: History, since: number, now: number): Set<string | undefined> {
  const held = new Set<string | undefined>();
  for (const all of Object.values(reigns)) {
    const first = all.findLastIndex(({ until = now }) => until <= since && until !== now);
    for (const { token } of all.slice(first + 1)) held.add(token);
  }
  return held;
}

/** J: whoever re-read the secret within a grace period holds a string that the data plane takes. */
function* refusesNoConsumer(history: History, step: Step, terms: Terms): Violations {
  const { after, touched } = step;
  const since = after.at - terms.gracePeriod;
  const held = heldSince(history, since, after.at);
  const asked = touched ? touched.tokens.map(({ id }) => id).filter((id) => held.has(id)) : held;
  for (const id of asked) {
    const granted = history.granted[id ?? ''];
    if (id === undefined || !granted || history.foreign[id] || history.exempt[id]) continue;
    const token = after.tokens.get(id);
    if (token && isExpired(token, after.at) && isLeft(secretOf(token, after), terms)) continue;
    if (terms.accepts(history.strings[id], granted)) history.worked[id] = true;
    // A secret's first consumers wait until there is something that works.
    else if (history.worked[id]) yield `J: a consumer of ${short(id)} was refused`;
  }
}

/** What time alone may break. */
export function* violationsByTime(history: History, step: Step, terms: Terms): Violations {
  yield* labelsNameWorkingTokens(history, step, terms);
  yield* refusesNoConsumer(history, step, terms);
}

/** Everything that one request did wrong, by the invariants of the design. */
export function* violations(history: History, step: Step, terms: Terms): Violations {
  yield* takesOnlyTheRetired(history, step, terms);
  yield* deletesNothingFrozen(history, step);
  yield* replacesFewGone(history, step, terms);
  yield* keepsWhatIsBeside(history, step, terms);
  yield* ordersLeaveConsumersSomething(history, step);
  yield* promotionsWereProved(history, step, terms);
  yield* marksOnlyTheReplaced(history, step, terms);
  yield* armsOnlyTheStored(history, step);
  yield* leavesForeignAlone(history, step, terms);
  yield* violationsByTime(history, step, terms);
}
