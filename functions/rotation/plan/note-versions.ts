import type { Without } from '../../run/plan.ts';
import { pendingVersion } from '../../secrets-manager/secret.ts';
import { HOUR_MS } from '../../time.ts';
import { homeOf } from '../../tokens/marker.ts';
import type { Observation, ObservedSecret, OwnedToken } from '../../tokens/observation.ts';
import { isUnknown } from '../../tokens/state.ts';
import type { GraceRestart, NotingAction, Recognition, SharingMark } from './rotation-action.ts';

type Of<Action> = Without<Action, 'token' | 'secret'>;

/** The labels whose strings are read where nothing else tells. */
const LABELS = ['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING'] as const;

const versionUnder = ({ secret }: ObservedSecret, label: (typeof LABELS)[number]) =>
  label === 'AWSPENDING' ? pendingVersion(secret) : secret.labels[label];

/** Versions whose string was recognised: only the markers tell the listings, and `reap`, from now on. */
export const recognitions = (seen: ObservedSecret): Of<Recognition>[] =>
  LABELS.flatMap((label) => {
    const version = versionUnder(seen, label);
    const holder = version === undefined ? undefined : seen.holders.get(version);
    if (version === undefined || holder?.state !== 'owned') return [];
    const { owned } = holder;
    if (owned.versions.includes(version)) return [];
    const tokenId = owned.token.id;
    return [{ kind: 'recognise', tokenId, version, label, reason: 'SavedByPerson' }];
  });

/** Tokens whose grace period started more than an hour ago. */
export const withOldGrace = ({ tokens }: ObservedSecret, now: number): readonly OwnedToken[] =>
  tokens.filter(({ marker }) => now - (marker.superseded ?? now) >= HOUR_MS);

/** While nobody knows what consumers have, every token that they may have keeps its whole grace period. */
export function graceRestart(seen: ObservedSecret, now: number): Of<GraceRestart>[] {
  const unknown = isUnknown(seen, 'AWSCURRENT') || isUnknown(seen, 'AWSPREVIOUS');
  const isNeeded = unknown && withOldGrace(seen, now).length > 0;
  return isNeeded ? [{ kind: 'restart-grace', reason: 'UnknownVersion' }] : [];
}

/** Marks of tokens whose string another secret of ours has, or has no more; by the token's secret. */
export function sharingMarks({
  secrets,
}: Pick<Observation, 'secrets'>): ReadonlyMap<string, Of<SharingMark>[]> {
  const sharing = new Map<string, string>();
  for (const { secret, holders } of secrets.values()) {
    for (const holder of holders.values()) {
      if (holder.state === 'shared') sharing.set(holder.owned.token.id, homeOf(secret.arn));
    }
  }
  const marks = [...secrets].map(([name, { tokens }]) => {
    const its = tokens.flatMap(({ token, marker }): Of<SharingMark>[] => {
      const by = sharing.get(token.id);
      if (by === marker.shared) return [];
      const about = { kind: 'mark-shared', tokenId: token.id } as const;
      return by === undefined
        ? [{ ...about, reason: 'SharedNoMore' }]
        : [{ ...about, by, reason: 'PastedByPerson' }];
    });
    return [name, its] as const;
  });
  return new Map(marks);
}

/** What a run only writes into markers, for one secret; it may go together with one other action. */
export const noteVersions = (
  seen: ObservedSecret,
  sharing: readonly Of<SharingMark>[],
  now: number,
): Of<NotingAction>[] => [...recognitions(seen), ...sharing, ...graceRestart(seen, now)];
