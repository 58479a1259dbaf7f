import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import type { Rising } from './alarms.ts';
import { all, type Heard, hearing, type Kind, SILENCE } from './hearing.ts';
import type { Laboratory } from './laboratory.ts';
import { OWNER } from './policy.ts';
import {
  isAlive,
  isArmed,
  isExpired,
  isOnHold,
  isOutOfReach,
  type SeenSecret,
  secretOf,
} from './view.ts';

/** How often `rotate` runs: as seldom as lives of days allow, so that weeks are affordable. */
export const PERIOD = 8 * HOUR;
/** Runs end some minutes after they were due. */
const RUN = 30 * MINUTE;
const SOON = Math.max(DAY, 3 * PERIOD);
const HOLD_IS_OLD = 7 * DAY;
/** Longer than a hold may stay unnoticed and two tokens' lives. */
const LENGTH = 16 * DAY;

/** Something that people must be told of, and for how long it may last before. */
interface Trouble {
  readonly kind: Kind;
  /** The name of the secret whose consumers have it; absent: nobody can say which. */
  readonly secret?: string;
  readonly why: string;
  readonly patience: number;
}

type Seen = Pick<Laboratory, 'view' | 'history' | 'terms'>;
type Find = (seen: Seen) => Trouble | undefined;

/** How it is with the consumers of a secret who are refused, or soon will be, or of whom nobody can know it; undefined: they are well. */
export function refusal(
  { view, history, terms }: Seen,
  name: string,
): Pick<Trouble, 'kind' | 'why'> | undefined {
  const { at, secrets, tokens } = view();
  const secret = secrets.get(name);
  if (!secret) return { kind: 'missing', why: 'there is no secret' };
  if (secret.isDeleted) return { kind: 'deleted', why: 'the secret is scheduled for deletion' };
  if (secret.labels.AWSCURRENT === undefined)
    return { kind: 'missing', why: 'the secret has no value' };
  const token = tokens.get(secret.holders.AWSCURRENT ?? '');
  if (!token) return { kind: 'unknown', why: 'AWSCURRENT has no token' };
  if (history.foreign[token.id] && !history.disowned[token.id])
    return { kind: 'unknown', why: "AWSCURRENT has a token that is not the schedule's" };
  const granted = history.granted[token.id];
  if (!granted || !terms.accepts(history.strings[token.id], granted))
    return { kind: 'refused', why: 'AWSCURRENT is refused' };
  const { expiresAt = Number.POSITIVE_INFINITY } = token;
  return expiresAt - at < SOON ? { kind: 'expiring', why: 'AWSCURRENT expires soon' } : undefined;
}

/**
 * Whether a hold has told already that consumers have nothing that works, and may be left alone for a week, whatever is under
 * AWSCURRENT meanwhile: once it ends, that is told as ever. That nobody can read the secret it does not tell, and its end mends nothing.
 */
const isToldByHold = (kind: Kind, secret: SeenSecret | undefined) =>
  isOnHold(secret) && kind !== 'deleted';

/** Within two periods somebody must know: then the run after the next would be too late. */
export const refused =
  (name: string): Find =>
  (seen) => {
    const found = refusal(seen, name);
    if (!found) return undefined;
    const isTold = isToldByHold(found.kind, seen.view().secrets.get(name));
    return { ...found, secret: name, patience: PERIOD + RUN + (isTold ? HOLD_IS_OLD : 0) };
  };

/**
 * Consumers may have the token that they had before: it worked until it was replaced, and its grace period is not over. That
 * is the one under AWSPREVIOUS, or, where that has a string of nobody, the one from which that string took AWSCURRENT.
 */
export const bereft =
  (name: string): Find =>
  ({ view, history, terms }) => {
    const { at, secrets, tokens } = view();
    const secret = secrets.get(name);
    const {
      token = '',
      until = at,
      workedToTheEnd,
    } = history.reigns[name]?.findLast(
      (each) => each.until !== undefined && each.token !== undefined,
    ) ?? {};
    // Another secret's, which a person pasted here, ends as that one says, by an order above all.
    const isOwn = tokens.get(token)?.marker.secret === name;
    const previous = secret?.labels.AWSPREVIOUS && (secret.holders.AWSPREVIOUS ?? token);
    const isEnded = history.ordered[token] || secret?.holders.AWSCURRENT === token;
    const mayBeRead = isOwn && workedToTheEnd && !isEnded && previous === token;
    if (!mayBeRead || at >= until + terms.gracePeriod || isOnHold(secret)) return undefined;
    if (terms.accepts(history.strings[token], history.granted[token] ?? [])) return undefined;
    const why = 'the token before is refused within its grace period';
    return { kind: 'bereft', secret: name, why, patience: PERIOD + RUN };
  };

/** A token of ours that works, and whose secret is gone for good: `reap` runs daily. */
export const strayed: Find = ({ view, history }) => {
  const seen = view();
  const stray = [...seen.tokens.values()].find(
    (token) =>
      token.marker.owner === OWNER &&
      !history.foreign[token.id] &&
      isAlive(token) &&
      isArmed(token) &&
      !isExpired(token, seen.at) &&
      !secretOf(token, seen),
  );
  const why = 'a token works whose secret is gone';
  return stray && { kind: 'strayed', why, patience: DAY + PERIOD };
};

/** Whether what people heard tells of it. */
export const isTold = ({ kind, secret }: Trouble, { tellsOf }: Heard) => tellsOf(kind, secret);

/** K for one trouble. To be told of every run and every act; answers what nobody was told of. */
function watchSilence(laboratory: Laboratory, find: Find) {
  let patience: number | undefined;
  /** Since when there is trouble of which no alarm tells. */
  let since: number | undefined;
  return (heard: Heard): string | undefined => {
    const now = laboratory.world.clock.now();
    const trouble = find(laboratory);
    if (!trouble) since = undefined;
    else if (since === undefined || isTold(trouble, heard) || trouble.patience !== patience)
      since = now;
    patience = trouble?.patience;
    if (!trouble || since === undefined || now - since <= trouble.patience) return undefined;
    return `K: ${trouble.why}, and no alarm told of it for ${Math.round((now - since) / HOUR)} hours`;
  };
}

/** Nothing is left of what there was at an instant: from here on it is like any other month. */
function isAsNew({ view, history, terms }: Laboratory, then: number): boolean {
  const { tokens, secrets } = view();
  const areNew = terms.listed.every((name) => {
    const secret = secrets.get(name);
    const old = secret?.versions.filter(({ createdAt }) => createdAt <= then) ?? [];
    return secret && !isOutOfReach(secret) && old.every(({ stages }) => stages.length === 0);
  });
  const old = [...tokens.values()].filter(({ id, createdAt }) => {
    return createdAt <= then && !history.foreign[id];
  });
  return areNew && !old.some(isAlive);
}

export interface Weeks {
  readonly violations: readonly string[];
  /** Metrics that broke the thresholds of their alarms. */
  readonly rang: readonly string[];
}

/** The weeks after something happened, with both schedules running, until nothing is left of it. */
export async function passWeeks(laboratory: Laboratory, risen: Rising): Promise<Weeks> {
  const { world, invoke, terms } = laboratory;
  const start = world.clock.now();
  const watched = [...terms.listed.flatMap((name) => [refused(name), bereft(name)]), strayed].map(
    (find) => watchSilence(laboratory, find),
  );
  const hear = (heard: Heard) => watched.flatMap((watch) => watch(heard) ?? []);
  const silences = hear(SILENCE);
  const rang = new Set<string>();
  for (let run = 1; run * PERIOD <= LENGTH; run += 1) {
    await world.clock.runUntil(start + run * PERIOD - HOUR);
    const answers = [await invoke({ job: 'rotate' })];
    if ((run * PERIOD) % DAY === 0) answers.push(await invoke({ job: 'reap' }));
    const runs = answers.map((answer) => hearing(answer, risen));
    for (const metric of runs.flatMap((each) => each.rang)) rang.add(metric);
    silences.push(...hear(all(runs)));
    if (isAsNew(laboratory, start)) break;
  }
  const violations = [...new Set([...silences.slice(0, 1), ...laboratory.violations])];
  return { violations: violations.slice(0, 3), rang: [...rang] };
}
