import { type Happening, isLogged, OR_LATER, SAVED } from './happening.ts';
import type { Past } from './past-facts.ts';

/** One step of a rotation, and who saw it. */
export interface EvidenceStep {
  readonly step: 'minted' | 'stored' | 'proven' | 'promoted' | 'old string';
  /** Milliseconds since 1970. Absent: nobody saw it, and `note` says what is known. */
  readonly at?: number;
  readonly sources: readonly string[];
  readonly note?: string;
}

export interface RotationEvidence {
  readonly secret: string;
  readonly tokenId: string;
  /** The token that it replaced, as far as anything says so. */
  readonly formerId?: string;
  readonly by?: string;
  readonly why?: string;
  readonly steps: readonly EvidenceStep[];
}

const NONE = 'no evidence in what was read';

const ofToken = (happenings: readonly Happening[], tokenId: string | undefined, what: string) =>
  happenings.filter((each) => each.tokenId === tokenId && each.what === what);

/** When the routers were asked: before the promotion. A secret's first token is promoted when it is stored. */
function acceptedFor(happenings: readonly Happening[], tokenId: string, promotedAt: number) {
  const all = ofToken(happenings, tokenId, 'proven');
  return all.findLast(({ at }) => at <= promotedAt + 1_000) ?? all[0];
}

/** What made the consumers of a secret have something before. */
const CURRENT = ['promoted', 'adopted', SAVED];

const before = (happenings: readonly Happening[], { secret, at, tokenId }: Happening) =>
  happenings.findLast(
    (each) =>
      CURRENT.includes(each.what) &&
      each.secret === secret &&
      each.at < at &&
      each.tokenId !== tokenId,
  );

/** What is to be known beside the instant. */
function noteOfPromotion(
  happenings: readonly Happening[],
  promoted: Happening,
): string | undefined {
  if (!isLogged(promoted)) return OR_LATER;
  return promoted.formerId === undefined && !before(happenings, promoted)
    ? 'seen; the first version of a secret has AWSCURRENT as soon as it is stored'
    : undefined;
}

/** Of the same secret the token that was promoted last before this one, where nothing says which it was. */
function formerOf(
  happenings: readonly Happening[],
  promoted: Happening | undefined,
): string | undefined {
  if (promoted?.formerId !== undefined || !promoted) return promoted?.formerId;
  // A log that names none knows of none.
  if (isLogged(promoted)) return undefined;
  const former = before(happenings, promoted);
  return former?.home === promoted.home ? former?.tokenId : undefined;
}

/**
 * A deletion is no proof that routers refuse the string: only an order asks them, because `reap` may read no string. What was given back
 * since works again, whatever was seen before.
 */
function oldString(
  happenings: readonly Happening[],
  formerId: string | undefined,
  promoted: Happening | undefined,
): EvidenceStep {
  const step = 'old string';
  const none = (note: string): EvidenceStep => ({ step, sources: [], note });
  if (!promoted) return none('not yet');
  if (formerId === undefined) {
    const isFirst = isLogged(promoted) && !before(happenings, promoted);
    return none(isFirst ? 'none is known that was there before' : NONE);
  }
  const backAt = ofToken(happenings, formerId, 'permissions given back').at(-1)?.at;
  const of = (what: string) =>
    ofToken(happenings, formerId, what).findLast(({ at }) => backAt === undefined || at > backAt);
  const refused = of('string refused');
  if (refused) {
    return { step, at: refused.at, sources: refused.sources, note: `refused: ${refused.why}` };
  }
  for (const what of ['deleted', 'expired', 'frozen', 'quarantined']) {
    const ended = of(what);
    if (!ended) continue;
    const note = `${what}; no evidence in what was read that it is refused`;
    return { step, at: ended.at, sources: ended.sources, note };
  }
  if (of('grace period over')) return none('not yet: it works until it is quarantined');
  return none(of('superseded') ? 'not yet: it may be used until its grace period is over' : NONE);
}

function evidenceOf(
  happenings: readonly Happening[],
  tokenId: string,
  isWaiting: boolean,
): RotationEvidence {
  const [minted] = ofToken(happenings, tokenId, 'minted');
  const [stored] = ofToken(happenings, tokenId, 'stored');
  const [promoted] = ofToken(happenings, tokenId, 'promoted');
  const proven = acceptedFor(happenings, tokenId, promoted?.at ?? Number.POSITIVE_INFINITY);
  const formerId = formerOf(happenings, promoted);
  const seen = (step: EvidenceStep['step'], found: Happening | undefined, lacks = NONE) =>
    found ? { step, at: found.at, sources: found.sources } : { step, sources: [], note: lacks };
  const note = promoted && noteOfPromotion(happenings, promoted);
  const lacks = isWaiting ? 'not yet' : NONE;
  const { secret = '' } = minted ?? stored ?? promoted ?? {};
  const { by, why } = promoted ?? minted ?? {};
  return {
    secret,
    tokenId,
    ...(formerId !== undefined && { formerId }),
    ...(by !== undefined && { by }),
    ...(why !== undefined && { why }),
    steps: [
      seen('minted', minted),
      seen('stored', stored),
      seen('proven', proven, lacks),
      { ...seen('promoted', promoted, lacks), ...(note !== undefined && { note }) },
      oldString(happenings, formerId, promoted ?? (isWaiting ? undefined : stored)),
    ],
  };
}

/**
 * Every rotation of which anything is known, oldest first, with what proves each of its steps. What no source says is not claimed.
 * @param past undefined: neither the cluster nor Secrets Manager could be asked
 */
export function rotationsOf(
  happenings: readonly Happening[],
  past: Past | undefined,
  since: number,
): readonly RotationEvidence[] {
  const begun = happenings.filter(
    ({ what, at }) => ['minted', 'stored', 'promoted'].includes(what) && at >= since,
  );
  const ids = new Set(begun.flatMap(({ tokenId }) => tokenId ?? []));
  const versions = past?.history.secrets.flatMap((each) => each.versions) ?? [];
  const isWaiting = (id: string) =>
    versions.some(
      ({ tokenId, labels }) =>
        tokenId === id && labels.includes('AWSPENDING') && !labels.includes('AWSCURRENT'),
    );
  return [...ids].map((id) => evidenceOf(happenings, id, isWaiting(id)));
}
