import { MANAGEMENT_SECRET } from '../world/systems.ts';
import type { World } from '../world/world.ts';

export const PERSON = 'a person';

/** From then on. `by`: a function, or a person. */
export interface Since {
  readonly at: number;
  readonly by: string;
}

/** AWSCURRENT of a secret has the string of that token. Without one: nobody's string, or there is no secret. */
export interface Held extends Since {
  readonly secret: string;
  readonly tokenId: string | undefined;
  /** The version that has AWSCURRENT: another one may have the same string. */
  readonly version: string | undefined;
  /** The label was moved, which Secrets Manager notes nowhere, and no string was saved. */
  readonly isMoved: boolean;
}

export interface Lived extends Since {
  readonly tokenId: string;
  readonly hasPermissions: boolean;
  readonly isDeleted: boolean;
}

/** All that was so, by the two systems and not by what anybody says of them. */
export interface Truth {
  readonly held: readonly Held[];
  readonly lived: readonly Lived[];
  /** When `rotate` looked at what a secret has that is not on hold: then it knows of what somebody moved. */
  readonly looks: readonly { readonly at: number; readonly secret: string }[];
}

const lastOf = <T extends Since>(list: readonly T[], at: number, isIt: (each: T) => boolean) =>
  list.findLast((each) => each.at <= at && isIt(each));

export const tokenAt = ({ lived }: Truth, tokenId: string, at: number): Lived | undefined =>
  lastOf(lived, at, (each) => each.tokenId === tokenId);

/** The tokens that consumers read then. */
export function holdersAt({ held }: Truth, at: number): ReadonlySet<string | undefined> {
  const secrets = new Set(held.map(({ secret }) => secret));
  return new Set(
    [...secrets].map((secret) => lastOf(held, at, (each) => each.secret === secret)?.tokenId),
  );
}

/** Whether consumers read a token then that Keyturn gave them, and that Keyturn took again, if anybody did. */
export function isOurs({ held }: Truth, tokenId: string, at: number): boolean {
  const given = lastOf(held, at, (each) => each.tokenId === tokenId);
  const taken = held.find(({ secret, at }) => given && secret === given.secret && at > given.at);
  return given?.by !== PERSON && taken?.by !== PERSON;
}

/** Whether what consumers read then was given to them by hand. `by`: when that was, at the latest. */
export const isByHand = ({ held }: Truth, at: number, by = at): boolean =>
  [...new Set(held.map(({ secret }) => secret))].some((secret) => {
    const last = lastOf(held, at, (each) => each.secret === secret);
    return last?.by === PERSON && last.at <= by;
  });

/** Whether somebody has moved AWSCURRENT, or moves it back from what somebody saved, before a run could know of it. */
export function isUnnoticed({ held, looks }: Truth, at: number): boolean {
  const byHand = held.filter(({ by }) => by === PERSON);
  return byHand.some(({ secret, at: since }) => {
    const look = looks.find((each) => each.secret === secret && each.at > since);
    const until = look?.at ?? Number.POSITIVE_INFINITY;
    const isBetween = (each: Held) => each.at >= since && each.at < until;
    const isMoved = byHand.some(
      (each) => each.isMoved && each.secret === secret && isBetween(each),
    );
    return since <= at && at < until && isMoved;
  });
}

/** Notes, after every call that takes effect, what has changed by it. */
export function noteTruth(world: World): Truth {
  const { cluster, aws, clock } = world;
  const held: Held[] = [];
  const lived: Lived[] = [];
  const looks: { readonly at: number; readonly secret: string }[] = [];
  const secrets = () =>
    [...new Set([...Object.keys(aws.state.secrets), ...held.map(({ secret }) => secret)])].filter(
      (secret) => secret !== MANAGEMENT_SECRET,
    );
  const note = (by: string, operation: string) => {
    const at = clock.now();
    const isMoved = operation === 'UpdateSecretVersionStage';
    for (const secret of secrets()) {
      const tokenId = world.holders(secret).AWSCURRENT;
      const version = world.labels(secret).AWSCURRENT;
      const last = held.findLast((each) => each.secret === secret);
      const isSame = last?.tokenId === tokenId && last?.version === version;
      if (!last || !isSame) held.push({ at, by, secret, tokenId, version, isMoved });
    }
    for (const { id: tokenId, permissions, revokedAt } of cluster.state.tokens) {
      const now = { hasPermissions: permissions.length > 0, isDeleted: revokedAt !== undefined };
      const last = lived.findLast((each) => each.tokenId === tokenId);
      const isSame =
        last?.hasPermissions === now.hasPermissions && last.isDeleted === now.isDeleted;
      if (!isSame) lived.push({ at, by, tokenId, ...now });
    }
  };
  world.watch((call, effect) => {
    const reply = effect();
    const job = world.origin(call)?.job;
    note(job ?? PERSON, call.operation);
    if (job === 'rotate' && call.operation === 'ListSecrets')
      for (const secret of secrets())
        if (world.hold(secret) === undefined) looks.push({ at: clock.now(), secret });
    return reply;
  });
  return { held, lived, looks };
}
