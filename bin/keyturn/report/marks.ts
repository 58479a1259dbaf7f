import { type Happening, NOT_ENDED, SAVED } from '../history/happening.ts';

/** Why a mark stands in the timeline. `change`: of a database, a schedule, a hold or an approval. */
export type MarkKind = 'rotation' | 'revocation' | 'incident' | 'change';

/** One thing that was done or seen, and that a reader of the timeline looks for. */
export interface Mark extends Omit<Happening, 'secret'> {
  readonly kind: MarkKind;
  /** The entry, the secret that has none, or what else it is about. */
  readonly about: string;
}

const REVOKE = 'log of revoke';
/** The steps of every rotation, which the bars show. */
const STEPS = [
  ...['minted', 'made by others', 'stored', 'proven', 'superseded', 'grace period over'],
  ...['quarantined', 'expired', 'marker brought up to date', 'adoption noted in a tag'],
];
const ENDS = ['deleted', 'frozen', 'string refused', 'permissions given back'];
const UNWANTED = [
  ...[SAVED, 'rolled back by hand', 'string pasted into another secret by hand'],
  ...['put on hold', 'found', 'not accepted yet', 'schedule stopped', NOT_ENDED],
  ...['an order is not all proven', 'an order was not all done'],
];
const isUnwanted = ({ what, by = '' }: Happening) =>
  UNWANTED.includes(what) ||
  what.startsWith('failed') ||
  what.startsWith('a part of the plan waits') ||
  by.startsWith('not Keyturn');

/** Undefined: it is a step that the bars show already. */
function kindOf(each: Happening): MarkKind | undefined {
  const { what, sources } = each;
  if (what === 'promoted' || what === 'rotated' || what === 'adopted') return 'rotation';
  if (isUnwanted(each)) return 'incident';
  if (what === 'string refused' || what === 'frozen') return 'revocation';
  if (ENDS.includes(what)) return sources.includes(REVOKE) ? 'revocation' : undefined;
  return STEPS.includes(what) ? undefined : 'change';
}

/** @param entryOf the entry of a secret */
export const marksOf = (
  happenings: readonly Happening[],
  entryOf: (secret: string) => string | undefined,
): readonly Mark[] =>
  happenings.flatMap(({ secret, ...each }) => {
    const kind = kindOf(each);
    if (!kind) return [];
    const name = secret === undefined ? each.subject : (entryOf(secret) ?? secret);
    return [{ ...each, kind, about: name ?? 'tokens of others' }];
  });
