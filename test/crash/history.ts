import type { Call, Reply } from '../../sandbox/interception.ts';
import {
  isAlive,
  isArmed,
  isExpired,
  isOnHold,
  pendingOf,
  type SeenSecret,
  type View,
} from './view.ts';

/** A version had AWSCURRENT from one instant to another. */
interface Reign {
  readonly secret: string;
  readonly version: string;
  readonly from: number;
  until?: number;
}

/** What the states alone do not tell: plain data, so that it is kept and restored with them. */
export interface History {
  /** Tokens of others by id, as they were. */
  readonly foreign: Record<string, string>;
  /** All token strings ever made, by id. */
  readonly strings: Record<string, string>;
  /** Tokens that a function minted. */
  readonly minted: Record<string, true>;
  /** Tokens whose string a secret version has held. */
  readonly stored: Record<string, true>;
  /** Probes of a token that the data plane accepted in a row. */
  readonly accepted: Record<string, number>;
  readonly reigns: Reign[];
  /** Each secret's first version. */
  readonly first: Record<string, string>;
  /** Tokens for whose state a person answers, and why. */
  readonly exempt: Record<string, string>;
  /** Versions that a person made current. */
  readonly placed: Record<string, true>;
  /** By caller: tokens taken away without a proven successor since its run began. */
  readonly taken: Record<string, number>;
  /** By caller: the version that was current and the one pending when its run last looked. */
  readonly looked: Record<string, readonly (string | undefined)[]>;
}

export const emptyHistory = (): History => ({
  foreign: {},
  strings: {},
  minted: {},
  stored: {},
  accepted: {},
  reigns: [],
  first: {},
  exempt: {},
  placed: {},
  taken: {},
  looked: {},
});

/** One request that took effect: what it was, what it was answered, and both states around it. */
export interface Step {
  readonly call: Call;
  readonly reply: Reply;
  readonly before: View;
  readonly after: View;
}

function noteMinting(history: History, { call, reply }: Step): void {
  if (call.operation !== 'POST /tokens' || reply.status !== 200) return;
  const { id, accessToken } = JSON.parse(reply.body) as { id: string; accessToken: string };
  history.strings[id] = accessToken;
  if (call.caller !== undefined) history.minted[id] = true;
}

function noteProbe(history: History, { call, reply }: Step): void {
  if (call.server !== 'data-plane') return;
  const string = call.authorization?.split(' ')[1];
  const id = Object.keys(history.strings).find((each) => history.strings[each] === string);
  if (id === undefined) return;
  const wasAccepted = reply.status === 204 || reply.status === 200;
  history.accepted[id] = wasAccepted ? (history.accepted[id] ?? 0) + 1 : 0;
}

function noteVersions(history: History, { name, versions }: SeenSecret): void {
  for (const { id, secretString } of versions) {
    history.first[name] ??= id;
    const string = history.strings[id];
    if (string !== undefined && secretString?.includes(string)) history.stored[id] = true;
  }
}

function noteReign(history: History, { name, labels }: SeenSecret, { call, after }: Step): void {
  const version = labels.AWSCURRENT;
  const reigning = history.reigns.findLast(({ secret }) => secret === name);
  if (version === undefined || reigning?.version === version) return;
  if (reigning) reigning.until = after.at;
  history.reigns.push({ secret: name, version, from: after.at });
  if (call.caller !== undefined) return;
  history.placed[version] = true;
  const token = after.tokens.get(version);
  if (!token || !isAlive(token) || !isArmed(token) || isExpired(token, after.at))
    history.exempt[version] = 'placed by a person';
}

/** A person's own doing, and what a hold asks for, is nobody's fault. */
function noteExemptions(history: History, { call, before, after }: Step): void {
  for (const token of after.tokens.values()) {
    const { id, marker } = token;
    const held = isOnHold(after.secrets.get(marker.secret ?? ''));
    if (held) history.exempt[id] = 'on hold';
    const former = before.tokens.get(id);
    if (call.caller !== undefined || !former) continue;
    const lost = token.permissions.length < former.permissions.length || !isAlive(token);
    if (lost) history.exempt[id] = 'taken away by a person';
  }
}

function noteLook(history: History, { call, after }: Step): void {
  const looks = ['DescribeSecret', 'UpdateSecretVersionStage'].includes(call.operation);
  if (!looks || call.caller === undefined) return;
  history.looked[call.caller] = inUse(after);
}

/** The versions that have AWSCURRENT or wait to. */
export const inUse = ({ secrets, tokens }: View) =>
  [...secrets.values()].flatMap((secret) => [secret.labels.AWSCURRENT, pendingOf(secret, tokens)]);

/** Notes what a request did; to be called before the invariants are checked. */
export function note(history: History, step: Step): void {
  noteMinting(history, step);
  noteProbe(history, step);
  for (const secret of step.after.secrets.values()) {
    noteVersions(history, secret);
    noteReign(history, secret, step);
  }
  noteExemptions(history, step);
  noteLook(history, step);
}
