import { firingsOf, gapsOf, nextFiring, windowMinutes } from '../../lib/schedule/gaps.ts';
import { type Chance, createChance } from '../soak/chance.ts';
import { lengthOf } from '../soak/plan.ts';
import { openWorld } from '../world/open-world.ts';
import { DAY, HOUR, MINUTE, policyWith, TELEGRAF } from '../world/policy.ts';
import type { Deployment, World } from '../world/world.ts';
import { type Case, documentOf, isAdopted, type Lifetimes } from './draw.ts';

/** What a run of `rotate` found and left. */
export interface Firing {
  readonly at: number;
  /** The token whose string consumers read after it. */
  readonly current: string | undefined;
  readonly condition: string | undefined;
  readonly isLate: boolean;
  readonly error: string | undefined;
}

/** A time in which a string was refused that consumers may have used. */
export interface Refusal {
  readonly at: number;
  readonly tokenId: string;
  /** It was AWSCURRENT no more: somebody had read it within its grace period. */
  readonly isFormer: boolean;
}

export interface Life {
  readonly firings: readonly Firing[];
  readonly refusals: readonly Refusal[];
  /** Tokens that Keyturn minted. */
  readonly minted: number;
}

const REAP_EVERY = 12 * HOUR;

/** When the schedule fires from then on, and in its flexible window. */
function* firingsFrom(startAt: number, { rotate, timeZone, days }: Case, chance: Chance) {
  const endAt = startAt + days * DAY;
  const rateMs = gapsOf(rotate, timeZone).longestOfOne * MINUTE;
  const after = (at: number) => nextFiring(rotate, timeZone, at) ?? at + rateMs;
  for (let at = after(startAt); at < endAt; at = after(at)) {
    yield at + chance.between(0, windowMinutes(rotate)) * MINUTE;
  }
}

const isMissed = ({ missed }: Case, number: number) =>
  missed !== undefined && number >= missed.from && number < missed.from + missed.count;

interface Begun {
  readonly world: World;
  readonly about: Case;
  readonly chance: Chance;
}

/** The policy before one that is shortened. */
const LONG: Lifetimes = {
  rotateEvery: '30d',
  gracePeriod: '1d',
  quarantine: '1h',
  windows: [],
  expiresAfter: '90d',
};

/** Puts the policy beside what there is: nothing, a token by a policy before it, or one that a person made. */
async function deploy({ world, about, chance }: Begun): Promise<Deployment> {
  if (about.born === 'issued') return world;
  if (about.born === 'shortened') {
    await world.rotate();
    await world.wait(chance.between(0, 25) * DAY);
    return world.deploy(documentOf(about));
  }
  const inDays = about.born === 'adopted' ? undefined : chance.between(20, 60);
  const made = await world.people.mint({
    description: 'telegraf',
    permissions: [{ action: 'write', resource: 'telemetry' }],
    ...(inDays !== undefined && {
      expiresAt: new Date(world.clock.now() + inDays * DAY).toISOString(),
    }),
  });
  await world.people.createSecret(TELEGRAF, made.accessToken);
  return world.deploy(documentOf(about, made.id));
}

/** Consumers: each uses what it read until its grace period is over. */
function createConsumers({ world, about }: Begun) {
  const gracePeriod = lengthOf(about.lifetimes.gracePeriod);
  const refusals: Refusal[] = [];
  const former = new Map<string, { readonly tokenId: string; readonly until: number }>();
  const current = () =>
    world.labels(TELEGRAF).AWSCURRENT === undefined ? undefined : world.string(TELEGRAF);
  let read = current();
  let readId = '';
  return {
    refusals,
    /** What AWSCURRENT holds now is what they read next. */
    reread(): void {
      const string = current();
      const until = world.clock.now() + gracePeriod;
      if (read !== undefined && read !== string) former.set(read, { tokenId: readId, until });
      read = string;
      readId = (string !== undefined && world.holders(TELEGRAF).AWSCURRENT) || '';
    },
    work(): void {
      const at = world.clock.now();
      if (read !== undefined && !world.accepts(read))
        refusals.push({ at, tokenId: readId, isFormer: false });
      for (const [string, { tokenId, until }] of former) {
        if (until <= at) former.delete(string);
        else if (!world.accepts(string)) refusals.push({ at, tokenId, isFormer: true });
      }
    },
  };
}

async function fire(deployed: Deployment, { rotate, timeZone }: Case, at: number) {
  const { nextInSeconds, thirdInSeconds } = firingsOf(rotate, timeZone);
  const scheduled = { at: new Date(at).toISOString(), nextInSeconds, thirdInSeconds };
  const { result, error } = await deployed.rotate({ scheduled });
  const [entry] = result?.entries ?? [];
  return {
    ...{ at, condition: entry?.condition, isLate: entry?.late === true },
    error: error?.errorMessage,
  };
}

async function liveIn(begun: Begun): Promise<Life> {
  const { world, about, chance } = begun;
  const { clock, cluster } = world;
  const deployed = await deploy(begun);
  const consumers = createConsumers(begun);
  consumers.reread();
  const firings: Firing[] = [];
  let reapAt = clock.now() + REAP_EVERY;

  let number = 0;
  for (const at of firingsFrom(clock.now(), about, chance)) {
    while (clock.now() < at) {
      await world.wait(Math.min(at - clock.now(), HOUR));
      consumers.work();
      if (clock.now() < reapAt) continue;
      reapAt += REAP_EVERY;
      await deployed.reap();
    }
    number += 1;
    if (isMissed(about, number - 1)) continue;
    // What a person made was learned of long ago.
    if (firings.length === 1) cluster.activationDelayMs = about.activationDelayMs;
    const told = await fire(deployed, about, at);
    consumers.reread();
    firings.push({ ...told, current: world.holders(TELEGRAF).AWSCURRENT });
  }
  const ours = cluster.state.tokens.filter(({ description }) =>
    description.includes('[keyturn:1 '),
  );
  const adopted = isAdopted(about) ? 1 : 0;
  return { firings, refusals: consumers.refusals, minted: ours.length - adopted };
}

const NOTHING = policyWith({});

/** Lives a case: every firing of `rotate`, `reap` every twelve hours, and a consumer at every hour. */
export async function liveCase(about: Case): Promise<Life> {
  const before = isAdopted(about) ? NOTHING : documentOf({ ...about, lifetimes: LONG });
  const policy = about.born === 'issued' ? documentOf(about) : before;
  const world = await openWorld(policy, { startAt: about.startAt, isSimulated: true });
  try {
    return await liveIn({ world, about, chance: createChance(`life/${about.seed}`) });
  } finally {
    await world.close();
  }
}
