import type { Policy } from '../../policy/policy.ts';
import type { Without } from '../../run/plan.ts';
import { pendingVersion } from '../../secrets-manager/secret.ts';
import { HOUR_MS } from '../../time.ts';
import { adoptedOf } from '../../tokens/adopted-tag.ts';
import { homeOf } from '../../tokens/marker.ts';
import type { Holder, Observation, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import {
  hasGrace,
  isArmed,
  isFrozen,
  isProven,
  isUnknown,
  ownedCurrent,
  wasArmed,
} from '../../tokens/state.ts';
import type {
  AdoptionNote,
  GraceRestart,
  NotingAction,
  Recognition,
  SharingMark,
} from './rotation-action.ts';

type Of<Action> = Without<Action, 'token' | 'secret'>;

/** In this order: what AWSCURRENT has is in use, whatever else has it. The labels whose strings are read where nothing else tells. */
const LABELS = ['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING'] as const;

const versionUnder = ({ secret }: ObservedSecret, label: (typeof LABELS)[number]) =>
  label === 'AWSPENDING' ? pendingVersion(secret) : secret.labels[label];

/**
 * A person went back to it, perhaps away again: it bears the marks of a retirement, whose clocks must not go on from
 * there. Fencing took AWSPREVIOUS off.
 */
function isBack(owned: OwnedToken, label: Recognition['label']): boolean {
  const { superseded, fenced, quarantined } = owned.marker;
  const marked = fenced !== undefined || (label === 'AWSCURRENT' && superseded !== undefined);
  const isRead = label !== 'AWSPENDING';
  return isRead && marked && quarantined === undefined && !isFrozen(owned) && wasArmed(owned);
}

/**
 * It has AWSCURRENT, and no run could write that it was promoted: the one that did died, or was of Keyturn 0.1, or a person
 * moved the label; an order leaves it to us, not to lose time. One that was adopted never waited.
 */
const isUnnoted = (owned: OwnedToken, label: Recognition['label']): boolean =>
  label === 'AWSCURRENT' &&
  isArmed(owned) &&
  (['promoted', 'adopted'] as const).every((field) => owned.marker[field] === undefined);

/**
 * Versions whose string was recognised: only the markers tell the listings, and `reap`, from now on. One note for
 * each token, of its first label: it writes all of its versions, and what AWSCURRENT has is in use.
 */
export function recognitions(seen: ObservedSecret): Of<Recognition>[] {
  const byToken = Map.groupBy(allRecognitions(seen), ({ tokenId }) => tokenId);
  return [...byToken.values()].flatMap(([first]) => first ?? []);
}

/** Versions under a label whose string is a token's, and whose ids do not say so. */
export const versionsOf = (seen: ObservedSecret, tokenId: string): string[] =>
  LABELS.flatMap((label) => {
    const version = versionUnder(seen, label);
    const holder = version === undefined ? undefined : seen.holders.get(version);
    const isIts = holder?.state === 'owned' && holder.owned.token.id === tokenId;
    return version !== undefined && isIts ? [version] : [];
  });

const allRecognitions = (seen: ObservedSecret) =>
  LABELS.flatMap((label): Of<Recognition>[] => {
    const version = versionUnder(seen, label);
    const holder = version === undefined ? undefined : seen.holders.get(version);
    if (version === undefined || holder?.state !== 'owned') return [];
    const { owned } = holder;
    const about = { kind: 'recognise', tokenId: owned.token.id, version, label } as const;
    if (!owned.versions.includes(version)) return [{ ...about, reason: 'SavedByPerson' }];
    if (isBack(owned, label)) return [{ ...about, reason: 'RolledBack' }];
    return isUnnoted(owned, label) ? [{ ...about, reason: 'Promoted' }] : [];
  });

/** Tokens whose grace period started more than an hour ago, and that starting it again keeps for consumers. */
export const withOldGrace = (seen: ObservedSecret, now: number): readonly OwnedToken[] =>
  seen.tokens.filter(
    (owned) => hasGrace(owned, seen) && now - (owned.marker.superseded ?? now) >= HOUR_MS,
  );

/** While nobody knows what consumers have, every token that they may have keeps its whole grace period. */
export function graceRestart(seen: ObservedSecret, now: number): Of<GraceRestart>[] {
  const unknown = isUnknown(seen, 'AWSCURRENT') || isUnknown(seen, 'AWSPREVIOUS');
  const isNeeded = unknown && withOldGrace(seen, now).length > 0;
  return isNeeded ? [{ kind: 'restart-grace', reason: 'UnknownVersion' }] : [];
}

/** What the tag of an adopted secret is to say, where it does not: it was adopted before there was such a tag, or a tool took that off. */
export function adoptionToNote(seen: ObservedSecret) {
  const owned = ownedCurrent(seen);
  if (!owned || !isProven(owned)) return undefined;
  const { id: tokenId } = owned.token;
  const { adopted: at, fp } = owned.marker;
  const noted = adoptedOf(seen.secret);
  const isNoted = noted?.tokenId === tokenId && noted.fp === fp;
  return at === undefined || fp === undefined || isNoted ? undefined : { tokenId, fp, at };
}

const adoptionNotes = (seen: ObservedSecret): Of<AdoptionNote>[] => {
  const noted = adoptionToNote(seen);
  return noted ? [{ kind: 'note-adoption', reason: 'Adopted', tokenId: noted.tokenId }] : [];
};

/** Tokens of other secrets whose strings this one has. */
const sharings = ({ secret, holders }: ObservedSecret) =>
  [...holders.values()].flatMap((holder) =>
    holder.state === 'shared' ? [{ tokenId: holder.owned.token.id, home: homeOf(secret.arn) }] : [],
  );

/**
 * Whether a secret may still have a string that it had: its value could not be read just now, or it may be that of an
 * entry which was not listed, because it lost its tag.
 */
function unclearHomes(
  { tokens }: Pick<Policy, 'tokens'>,
  { secrets }: Pick<Observation, 'secrets'>,
): (home: string) => boolean {
  // Hardly any token has such a mark, and a hash of every ARN is not made for none.
  let byHome: ReadonlyMap<string, ObservedSecret> | undefined;
  const isEntryHidden = tokens.some(({ secret }) => !secrets.has(secret));
  const isUnreadable = (holder: Holder) =>
    holder.state === 'unknown' && holder.isUnreadable === true;
  return (home) => {
    byHome ??= new Map([...secrets.values()].map((seen) => [homeOf(seen.secret.arn), seen]));
    const seen = byHome.get(home);
    return seen ? [...seen.holders.values()].some(isUnreadable) : isEntryHidden;
  };
}

/**
 * Marks of tokens whose string another secret of ours has, or has no more; by the token's secret. A mark
 * stays while that other secret cannot be read.
 */
export function sharingMarks(
  policy: Pick<Policy, 'tokens'>,
  { secrets }: Pick<Observation, 'secrets'>,
): ReadonlyMap<string, Of<SharingMark>[]> {
  const all = [...secrets.values()].flatMap(sharings);
  const byToken = Map.groupBy(all, ({ tokenId }) => tokenId);
  const isUnclear = unclearHomes(policy, { secrets });
  const marks = [...secrets].flatMap(([name, { tokens }]) => {
    const its = tokens.flatMap(({ token, marker: { shared } }): Of<SharingMark>[] => {
      const homes = (byToken.get(token.id) ?? []).map(({ home }) => home).sort();
      const [by] = homes;
      if (shared === undefined ? by === undefined : homes.includes(shared) || isUnclear(shared))
        return [];
      const about = { kind: 'mark-shared', tokenId: token.id } as const;
      return by === undefined
        ? [{ ...about, reason: 'SharedNoMore' }]
        : [{ ...about, by, reason: 'PastedByPerson' }];
    });
    return its.length > 0 ? [[name, its] as const] : [];
  });
  return new Map(marks);
}

/** What a run only writes down, for one secret; it may go together with one other action. */
export const noteVersions = (
  seen: ObservedSecret,
  sharing: readonly Of<SharingMark>[],
  now: number,
): Of<NotingAction>[] => [
  ...recognitions(seen),
  ...sharing,
  ...graceRestart(seen, now),
  ...adoptionNotes(seen),
];
