import { DAY, HOUR, MINUTE } from '../world/policy.ts';
import type { Logged } from './alarms.ts';
import type { Laboratory } from './laboratory.ts';
import { isAlive, isOnHold, isOutOfReach } from './view.ts';

/** How often `rotate` runs: as seldom as lives of days allow, so that weeks are affordable. */
export const PERIOD = 8 * HOUR;
/** Runs end some minutes after they were due. */
const RUN = 30 * MINUTE;
const SOON = Math.max(DAY, 3 * PERIOD);
const HOLD_IS_OLD = 7 * DAY;
/** Longer than a hold may stay unnoticed and two tokens' lives. */
const LENGTH = 16 * DAY;

/** Why the consumers of a secret are refused, or soon will be, or nobody can know; undefined: they are well. */
function troubleOf(name: string, { view, history, terms }: Laboratory): string | undefined {
  const { at, secrets, tokens } = view();
  const secret = secrets.get(name);
  if (!secret) return 'there is no secret';
  if (secret.isDeleted) return 'the secret is scheduled for deletion';
  if (secret.labels.AWSCURRENT === undefined) return 'the secret has no value';
  const token = tokens.get(secret.holders.AWSCURRENT ?? '');
  if (!token) return 'AWSCURRENT has no token';
  if (history.foreign[token.id]) return "AWSCURRENT has a token that is not the schedule's";
  const granted = history.granted[token.id];
  if (!granted || !terms.accepts(history.strings[token.id], granted))
    return 'AWSCURRENT is refused';
  const { expiresAt = Number.POSITIVE_INFINITY } = token;
  return expiresAt - at < SOON ? 'AWSCURRENT expires soon' : undefined;
}

type Rising = (logged: Logged) => readonly string[];

/** K for one secret. To be told of every run and every act; answers what nobody was told of. */
function watchSilence(laboratory: Laboratory, name: string) {
  let wasHeld = false;
  /** Since when there is trouble of which no alarm tells. */
  let since: number | undefined;
  return (rings: boolean): string | undefined => {
    const now = laboratory.world.clock.now();
    const why = troubleOf(name, laboratory);
    const isHeld = isOnHold(laboratory.view().secrets.get(name));
    if (!why) since = undefined;
    else if (since === undefined || rings || isHeld !== wasHeld) since = now;
    wasHeld = isHeld;
    if (since === undefined) return undefined;
    // Within two periods somebody must know: the next run would be too late.
    const patience = PERIOD + RUN + (isHeld ? HOLD_IS_OLD : 0);
    const silentFor = now - since;
    if (silentFor <= patience) return undefined;
    return `K: ${why}, and no alarm rang for ${Math.round(silentFor / HOUR)} hours`;
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
  const watched = terms.listed.map((name) => watchSilence(laboratory, name));
  const hear = (rings: boolean) => watched.flatMap((watch) => watch(rings) ?? []);
  const silences = hear(false);
  const rang = new Set<string>();
  for (let run = 1; run * PERIOD <= LENGTH; run += 1) {
    await world.clock.runUntil(start + run * PERIOD - HOUR);
    const logged = [await invoke({ job: 'rotate' })];
    if ((run * PERIOD) % DAY === 0) logged.push(await invoke({ job: 'reap' }));
    const metrics = logged.flatMap(risen);
    for (const metric of metrics) rang.add(metric);
    silences.push(...hear(metrics.length > 0));
    if (isAsNew(laboratory, start)) break;
  }
  const violations = [...new Set([...silences.slice(0, 1), ...laboratory.violations])];
  return { violations: violations.slice(0, 3), rang: [...rang] };
}
