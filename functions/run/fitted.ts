/**
 * Lambda passes on 6,291,556 bytes of an answer, and a run whose answer is longer counts as failed, whatever it did.
 * docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const MOST_BYTES = 6_000_000;
/** Of an error: Lambda writes its message twice into one line, with every quote escaped, and a log takes 1 MB of that. */
export const MOST_BYTES_OF_ERROR = 350_000;

/** A list of an answer that had no room for all of its items. */
export interface LeftOut {
  /** Where it stands in the answer: `plan.actions`. */
  readonly list: string;
  readonly shown: number;
  readonly of: number;
  /** How many there are of each kind, condition or result, shown or not. Of sentences there are no kinds. */
  readonly kinds: Readonly<Record<string, number>>;
}

/** An answer whose lists are whole, or that says of which it has only a part. */
export type Fitted<T> = T & { readonly leftOut?: readonly LeftOut[] };

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => Object(value);

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? 'null');

/** By these a list is counted: an action or a finding, an entry, a token of an order, the outcome of an action. */
function kindOf(item: unknown): string | undefined {
  const { action, kind, condition, state, result } = fieldsOf(item);
  const of = kind ?? condition ?? state ?? fieldsOf(action).kind;
  const parts = [of, result].filter((each) => typeof each === 'string');
  return parts.length > 0 ? parts.join(': ') : undefined;
}

/** What a person should see first: what failed, is not as it should be, or is not confirmed. */
function isTrouble(item: unknown): boolean {
  const { result, error, unconfirmed, fails, late, condition, pending, acceptance } =
    fieldsOf(item);
  const isOther = (value: unknown, usual: string) => value !== undefined && value !== usual;
  return (
    result === 'failed' ||
    [error, unconfirmed, fieldsOf(pending).refusedSince].some((each) => each !== undefined) ||
    fails === true ||
    late === true ||
    isOther(condition, 'works') ||
    isOther(fieldsOf(acceptance).answer, 'accepted')
  );
}

/** Refusals name the actions of a plan by their places in it. */
const ACTIONS = 'plan.actions';

interface List {
  /** As in `LeftOut`. */
  readonly place: string;
  readonly items: readonly unknown[];
  readonly size: number;
}

/** The lists of an answer, and of the plan in it, the shortest first. Refusals and limits are few. */
function listsOf(answer: Fields): readonly List[] {
  const under = (prefix: string, fields: Fields) =>
    Object.entries(fields).flatMap(([key, items]) =>
      Array.isArray(items) && !['refusals', 'limits'].includes(key)
        ? [{ place: `${prefix}${key}`, items, size: sizeOf(items) }]
        : [],
    );
  return [...under('', answer), ...under('plan.', fieldsOf(answer.plan))].sort(
    (a, b) => a.size - b.size,
  );
}

/** As many items as fit, those first that a person should see. */
function cut({ place, items }: List, room: number): readonly unknown[] {
  const inOrder =
    place === ACTIONS ? items : [...items].sort((a, b) => +isTrouble(b) - +isTrouble(a));
  let left = room - 2; // the brackets
  const from = inOrder.findIndex((item) => {
    left -= sizeOf(item) + 1;
    return left < 0;
  });
  return from === -1 ? inOrder : inOrder.slice(0, from);
}

function countByKind(items: readonly unknown[]): Readonly<Record<string, number>> {
  const kinds: Record<string, number> = {};
  for (const item of items) {
    const kind = kindOf(item);
    if (kind !== undefined) kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

function withList(answer: Fields, place: string, items: readonly unknown[]): Fields {
  const [key = '', under] = place.split('.');
  if (under === undefined) return { ...answer, [key]: items };
  return { ...answer, [key]: { ...fieldsOf(answer[key]), [under]: items } };
}

/**
 * An answer that is no longer than `most` bytes. Where it would be, its longest lists lose items from their ends, and
 * `leftOut` says how many there are of each kind: the rest stands in the log, or is what a dry run without that bound shows.
 */
export function fitted<T>(answer: T, most: number): Fitted<T> {
  if (!Number.isFinite(most) || sizeOf(answer) <= most) return answer as Fitted<T>;
  const lists = listsOf(fieldsOf(answer));
  let short = lists.reduce((left, { place }) => withList(left, place, []), fieldsOf(answer));
  const leftOut: LeftOut[] = [];
  const counted = lists.map(({ items }) => countByKind(items));
  let room = most - sizeOf({ ...short, leftOut: counted }) - lists.length * 100;
  for (const [at, list] of lists.entries()) {
    const share = room / (lists.length - at);
    const items = list.size <= share ? list.items : cut(list, share);
    room -= items === list.items ? list.size : share;
    short = withList(short, list.place, items);
    const [shown, of] = [items.length, list.items.length];
    if (shown < of) leftOut.push({ list: list.place, shown, of, kinds: counted[at] ?? {} });
  }
  return { ...short, leftOut } as unknown as Fitted<T>;
}

/** As many of these lines as a person reads, and how many more there are. */
export function fewLines(lines: readonly string[]): readonly string[] {
  const more = lines.length - MOST_LINES;
  return more > 0
    ? [...lines.slice(0, MOST_LINES), `and ${more} more, each of which the log names`]
    : lines;
}

/** Of 1,200 characters at most: a log takes 256 KB of one error, whose message stands in it twice. */
const MOST_LINES = 100;
