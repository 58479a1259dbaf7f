import type { TokenPolicy } from '../../../functions/policy/policy.ts';
import { type Happening, isLogged, NOT_ENDED, SAVED, secretNamed } from '../history/happening.ts';

/** Why a mark stands in the timeline. `change`: of a database, a schedule, a hold or an approval. */
export type MarkKind = 'rotation' | 'revocation' | 'incident' | 'change';

/** One thing that was done or seen, and that a reader of the timeline looks for. */
export interface Mark extends Omit<Happening, 'secret' | 'home' | 'entry' | 'gave' | 'isOrLater'> {
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
  const { what, secret, sources } = each;
  if (what === 'promoted' || what === 'rotated' || what === 'adopted') return 'rotation';
  if (isUnwanted(each)) return 'incident';
  if (what === 'string refused' || what === 'frozen') return 'revocation';
  if (ENDS.includes(what)) {
    if (sources.includes(REVOKE)) return 'revocation';
    return secret !== undefined && isLogged(each) ? undefined : 'change';
  }
  return STEPS.includes(what) ? undefined : 'change';
}

/** Of what it tells: the entry, the secret that has none, or what else it is about. */
function aboutOf(
  { secret, home, entry, subject }: Happening,
  entries: readonly Pick<TokenPolicy, 'name' | 'secret'>[],
): string {
  const key = secretNamed({ secret, ...(home !== undefined && { home }) });
  const known = entries.find((each) => each.secret === key)?.name ?? key ?? entry;
  if (known !== undefined) return known;
  const isName = entries.some(({ name }) => name === subject);
  return isName ? `${subject} (not the entry)` : (subject ?? 'tokens of others');
}

export const marksOf = (
  happenings: readonly Happening[],
  entries: readonly Pick<TokenPolicy, 'name' | 'secret'>[],
): readonly Mark[] =>
  happenings.flatMap((each) => {
    const { secret: _, home: _home, entry: _entry, gave: _gave, ...told } = each;
    const kind = kindOf(each);
    return kind ? [{ ...told, kind, about: aboutOf(each, entries) }] : [];
  });
