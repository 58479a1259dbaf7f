import type { Permission } from '../../sandbox/cluster/state.ts';
import type { Call, Reply } from '../../sandbox/interception.ts';
import { OWNER } from './policy.ts';
import type { Terms } from './terms.ts';
import {
  everything,
  holdOf,
  inUse,
  isAlive,
  isArmed,
  isExpired,
  isOnHold,
  isOutOfReach,
  isPastedUnseen,
  type SeenSecret,
  type SeenToken,
  secretOf,
  type Touched,
  type View,
} from './view.ts';

/** Consumers of a secret got one token's string from one instant to another. */
interface Reign {
  /** The token whose string AWSCURRENT's version holds; absent: no token has it, or there is none. */
  readonly token?: string;
  readonly from: number;
  until?: number;
  /** The token worked until then. */
  workedToTheEnd?: boolean;
}

/** What the states alone do not tell: plain data, so that it is kept and restored with them. */
export interface History {
  /** Tokens that people minted, or whose marker they took. */
  readonly foreign: Record<string, true>;
  /** Those whose marker they took. */
  readonly disowned: Record<string, true>;
  /** All token strings ever made, by id. */
  readonly strings: Record<string, string>;
  /** And the ids by string. */
  readonly ids: Record<string, string>;
  /** Tokens that a function minted. */
  readonly minted: Record<string, true>;
  /** Tokens whose string a secret version has held. */
  readonly stored: Record<string, true>;
  /** What tokens could do since they could do anything. */
  readonly granted: Record<string, readonly Permission[]>;
  /** Tokens of which a probe was accepted since one was refused. */
  readonly accepted: Record<string, true>;
  /** Tokens with which consumers could do all of that everywhere, while they had them. */
  readonly worked: Record<string, true>;
  /** By secret, one after the other: a long life asks after every call. */
  readonly reigns: Record<string, Reign[]>;
  /** Tokens that consumers had. */
  readonly reigned: Record<string, true>;
  /** The first version of each secret, by `home`. */
  readonly first: Record<string, string>;
  /** Tokens for whose state a person answers, and why. */
  readonly exempt: Record<string, string>;
  /** When something was last taken from them. */
  readonly taken: Record<string, number>;
  /** Tokens that an order deleted, or took permissions of. */
  readonly ordered: Record<string, true>;
  /** Versions that a person made current. */
  readonly placed: Record<string, true>;
  /** By caller and kind: how much its run did of what the limits count. */
  readonly limited: Record<string, number>;
  /** By caller: the tokens that consumers had or would have next, when its run last looked. */
  readonly looked: Record<string, readonly (string | undefined)[]>;
  /** By caller: the secrets, by `home`, that were on hold when its run last looked. */
  readonly obeyed: Record<string, readonly string[]>;
  /** Those of them that were frozen, and not condemned. */
  readonly froze: Record<string, readonly string[]>;
  /** Secrets that were on no hold, and that a person put on hold. */
  readonly heldByHand: Record<string, true>;
  /** Tokens to which a person gave permissions. */
  readonly givenByHand: Record<string, true>;
  /** Tokens to which a run gave permissions while their secret was on hold, as it has been since. */
  readonly givenUnderHold: Record<string, true>;
}

export const emptyHistory = (): History => ({
  foreign: {},
  disowned: {},
  strings: {},
  ids: {},
  minted: {},
  stored: {},
  granted: {},
  accepted: {},
  worked: {},
  reigns: {},
  reigned: {},
  first: {},
  exempt: {},
  taken: {},
  ordered: {},
  placed: {},
  limited: {},
  looked: {},
  obeyed: {},
  froze: {},
  heldByHand: {},
  givenByHand: {},
  givenUnderHold: {},
});

/** One request that took effect: what it was, what it was answered, and both states around it. */
export interface Step {
  readonly call: Call;
  /** Carries out a person's order, as `revoke` does. */
  readonly isOrdered: boolean;
  /** Secrets whose strings an order ends before there is a successor. */
  readonly endedFirst?: ReadonlySet<string>;
  /** The secrets that orders are about. Absent, or empty: of every token somebody may have meant it. */
  readonly meant?: ReadonlySet<string>;
  readonly reply: Reply;
  readonly before: View;
  readonly after: View;
  /** What it may have changed: a long life has ten thousand tokens. Absent: anything. */
  readonly touched?: Touched | undefined;
  /** When the run that asks began. Absent: nobody knows. */
  readonly began?: number | undefined;
}

export const touchedIn = ({ touched, after }: Step): Touched => touched ?? everything(after);

/** By a run that nobody asked to end anything. */
export const isOfSchedule = ({ call, isOrdered }: Step) => call.caller !== undefined && !isOrdered;

function noteMinting(history: History, { call, reply }: Step): void {
  if (call.operation !== 'POST /tokens' || reply.status !== 200) return;
  const { id, accessToken } = JSON.parse(reply.body) as { id: string; accessToken: string };
  history.strings[id] = accessToken;
  history.ids[accessToken] = id;
  if (call.caller === undefined) history.foreign[id] = true;
  else history.minted[id] = true;
}

/** Notes whether the data plane accepted a string. */
export function noteProbe(history: History, { call, reply }: Pick<Step, 'call' | 'reply'>): void {
  if (call.server !== 'data-plane') return;
  const id = history.ids[call.authorization?.split(' ')[1] ?? ''];
  if (id === undefined) return;
  if (reply.status === 204 || reply.status === 200) history.accepted[id] = true;
  else delete history.accepted[id];
}

/** A policy that became narrower narrows what nobody has yet. */
function noteGrants(history: History, step: Step, terms: Terms): void {
  const has = ({ permissions }: SeenToken, { action, resource }: Permission) =>
    permissions.some((each) => each.action === action && each.resource === resource);
  for (const token of touchedIn(step).tokens) {
    if (!isArmed(token)) continue;
    const needed = terms.grantsOf(token.marker.secret);
    const coversAll = needed?.every((each) => has(token, each)) === true;
    // What a person gives to a token that nobody armed yet is not what consumers were given.
    const isOnlyAdded = needed !== undefined && !coversAll && token.marker.grants === undefined;
    if (!isOnlyAdded) history.granted[token.id] ??= token.permissions;
    if (coversAll && !history.reigned[token.id]) history.granted[token.id] = token.permissions;
  }
}

function noteVersions(history: History, { home, versions }: SeenSecret): void {
  for (const { id, token } of versions) {
    history.first[home] ??= id;
    if (token !== undefined) history.stored[token] = true;
  }
}

const worksIn = ({ tokens, at }: View, id = ''): boolean => {
  const token = tokens.get(id);
  return token !== undefined && isAlive(token) && isArmed(token) && !isExpired(token, at);
};

function noteReign(history: History, secret: SeenSecret, step: Step, terms: Terms) {
  const { call, before, after } = step;
  const held = after.tokens.get(secret.holders.AWSCURRENT ?? '');
  const isUnseen = terms.isRetired(secret.name) || isPastedUnseen(held, secret);
  const token = isUnseen ? undefined : secret.holders.AWSCURRENT;
  history.reigns[secret.name] ??= [];
  const reigns = history.reigns[secret.name] ?? [];
  const reigning = reigns.at(-1);
  if (reigning?.token !== token) {
    if (reigning) {
      reigning.until ??= after.at;
      reigning.workedToTheEnd = worksIn(before, reigning.token);
    }
    reigns.push({ from: after.at, ...(token && { token }) });
    if (token) history.reigned[token] = true;
  }
  const current = after.tokens.get(token ?? '');
  const isPlaced = history.placed[secret.labels.AWSCURRENT ?? ''];
  const moved = reigning?.token !== token && call.caller === undefined;
  if (current && moved && isPlaced && !worksIn(after, token))
    history.exempt[current.id] = 'placed by a person';
}

function noteAbsence({ reigns }: History, { after }: Step): void {
  for (const [name, all] of Object.entries(reigns)) {
    const last = all.at(-1);
    if (last && !after.secrets.has(name)) last.until ??= after.at;
  }
}

function notePlacing(history: History, secret: SeenSecret, { call, before }: Step): void {
  const { AWSCURRENT: version } = secret.labels;
  if (call.caller !== undefined || version === undefined) return;
  if (before.secrets.get(secret.name)?.labels.AWSCURRENT !== version) {
    history.placed[version] = true;
  }
}

/** Whether a request deleted a token, or took permissions of it. What was so before is not its doing. */
function isTakenIn({ before }: Step, token: SeenToken): boolean {
  const former = before.tokens.get(token.id);
  if (former === undefined || !isAlive(former)) return false;
  return !isAlive(token) || token.permissions.length < former.permissions.length;
}

/** Whether people meant this token by an order about secrets: it is of one of them, or its string is in one. */
function isMeant({ meant, before }: Step, { id, marker }: SeenToken): boolean {
  if (!meant || meant.size === 0) return true;
  const owners = [marker.secret, before.tokens.get(id)?.marker.secret];
  return [...meant].some(
    (name) =>
      owners.includes(name) ||
      before.secrets.get(name)?.versions.some(({ token }) => token === id) === true,
  );
}

/** Whether nobody asked a run for what it does to a token. */
const isUnasked = (step: Step, token: SeenToken) =>
  isOfSchedule(step) || (step.isOrdered && !isMeant(step, token));

/** Why nobody but a person answers for a token's state. */
function exemption(token: SeenToken, step: Step): string | undefined {
  const secret = secretOf(token, step.after);
  if (secret && isOutOfReach(secret) && isExpired(token, step.after.at))
    return 'expired out of reach';
  if (!isTakenIn(step, token)) return undefined;
  if (isOnHold(secret)) return 'on hold';
  return isUnasked(step, token) ? undefined : 'taken away by a person';
}

/** Whether it can do again all that it was given, everywhere, and no router has yet to hear of what was taken between. */
function worksAgain(
  { granted, strings, taken }: History,
  token: SeenToken,
  { after }: Step,
  { accepts, heardWithin }: Terms,
): boolean {
  const all = granted[token.id] ?? [];
  if (after.at < (taken[token.id] ?? 0) + heardWithin()) return false;
  const has = ({ action, resource }: Permission) =>
    token.permissions.some((each) => each.action === action && each.resource === resource);
  return isAlive(token) && all.length > 0 && all.every(has) && accepts(strings[token.id], all);
}

/** No exemption, and those of what nobody took: it works until it expires. */
const NEVER_GIVEN_BACK: ReadonlySet<string | undefined> = new Set([
  undefined,
  'unlisted',
  'expired out of reach',
]);

/** A person answers for what they took until it is given back: from then on it is like any other token. */
function noteExemptions(history: History, step: Step, terms: Terms): void {
  const { exempt, ordered, taken } = history;
  // What routers have yet to hear of is given back without another request.
  const excused = Object.keys(exempt).flatMap((id) => step.after.tokens.get(id) ?? []);
  for (const token of new Set([...touchedIn(step).tokens, ...excused.filter(isAlive)])) {
    const why = exemption(token, step);
    if (why !== undefined) exempt[token.id] ??= why;
    if (isTakenIn(step, token)) taken[token.id] = step.after.at;
    if (step.isOrdered && isTakenIn(step, token) && isMeant(step, token)) ordered[token.id] = true;
    const mayBeGivenBack = !NEVER_GIVEN_BACK.has(exempt[token.id]);
    if (mayBeGivenBack && worksAgain(history, token, step, terms)) {
      delete exempt[token.id];
      delete ordered[token.id];
    }
  }
}

/** A run that looked before may write its marker again. */
function noteMarkers({ foreign, disowned }: History, step: Step): void {
  const { call, before } = step;
  for (const { id, marker } of touchedIn(step).tokens) {
    const isOurs = marker.owner === OWNER;
    const wasOurs = before.tokens.get(id)?.marker.owner === OWNER;
    if (isOurs && disowned[id]) {
      delete foreign[id];
      delete disowned[id];
    } else if (wasOurs && !isOurs && call.caller === undefined) {
      foreign[id] = true;
      disowned[id] = true;
    }
  }
}

function noteHands({ heldByHand, givenByHand }: History, step: Step): void {
  const { call, before, after } = step;
  if (call.caller !== undefined) return;
  for (const [name, secret] of after.secrets) {
    if (!isOnHold(secret)) delete heldByHand[name];
    else if (!isOnHold(before.secrets.get(name))) heldByHand[name] = true;
  }
  for (const { id, permissions } of touchedIn(step).tokens) {
    const former = before.tokens.get(id)?.permissions ?? permissions;
    if (permissions.length > former.length) givenByHand[id] = true;
  }
}

/** InfluxDB has no compare-and-set: a run cannot but give them, and looks for a hold behind that. */
function noteGiving({ givenUnderHold }: History, step: Step): void {
  const { call, isOrdered, before, after } = step;
  for (const id of Object.keys(givenUnderHold)) {
    const token = after.tokens.get(id);
    const isLeft = token && isArmed(token) && isOnHold(secretOf(token, after));
    if (!isLeft) delete givenUnderHold[id];
  }
  if (call.caller === undefined || isOrdered || call.operation !== 'PATCH /tokens/{id}') return;
  const token = after.tokens.get(call.subject ?? '');
  const former = before.tokens.get(call.subject ?? '');
  if (!token || !former || token.permissions.length <= former.permissions.length) return;
  if (isOnHold(secretOf(token, after))) givenUnderHold[token.id] = true;
}

/** Consumers of any other secret may hold the strings of its tokens; those of a retired one may not. */
export const allInUse = ({ secrets, tokens }: View, { isRetired }: Terms) =>
  [...secrets.values()]
    .filter(({ name }) => !isRetired(name))
    .flatMap((secret) => inUse(secret, tokens));

/** Notes what a run could know when it looked last. */
export function noteLook(history: History, { call, after }: Step, terms: Terms): void {
  const looks = ['DescribeSecret', 'UpdateSecretVersionStage'].includes(call.operation);
  if (!looks || call.caller === undefined) return;
  history.looked[call.caller] = allInUse(after, terms);
  // Whoever moves a label is told whether that one was where it had been read, and nothing of holds.
  if (call.operation !== 'DescribeSecret') return;
  const held = [...after.secrets.values()].filter(isOnHold);
  history.obeyed[call.caller] = held.map(({ home }) => home);
  const frozen = held.filter((secret) => holdOf(secret) === 'frozen');
  history.froze[call.caller] = frozen.map(({ home }) => home);
}

/** Notes what a request did; to be called before the invariants are checked. */
export function note(history: History, step: Step, terms: Terms): void {
  noteMinting(history, step);
  noteGrants(history, step, terms);
  noteAbsence(history, step);
  for (const secret of touchedIn(step).secrets) {
    noteVersions(history, secret);
    notePlacing(history, secret, step);
    noteReign(history, secret, step, terms);
  }
  noteExemptions(history, step, terms);
  noteHands(history, step);
  noteGiving(history, step);
  noteMarkers(history, step);
  noteLook(history, step, terms);
}
