import type { RevocationReport } from '../../functions/revocation/report.ts';
import type { Answered } from '../world/world.ts';
import { short, type Violations } from './invariants.ts';
import type { Laboratory } from './laboratory.ts';
import { SECRET } from './policy.ts';
import type { OrderScenario, Outcome } from './scenarios/revocation.ts';
import {
  holdOf,
  isAlive,
  isArmed,
  isExpired,
  isOnHold,
  type SeenSecret,
  type SeenToken,
} from './view.ts';

export type Answer = Answered<RevocationReport>;

export const outcomeOf = ({ result }: Answer): Outcome =>
  result?.confirmed ? 'confirmed' : result?.done ? 'done' : 'error';

/** What an answer is compared with. */
type Judged = Pick<Laboratory, 'view' | 'history' | 'world'>;

const ENDING = ['freeze', 'replace', 'delete'];

/** Live tokens of the secret: its marker names it, or a label is on its string. */
function tokensOf({ view }: Pick<Laboratory, 'view'>, name = SECRET): SeenToken[] {
  const { tokens, secrets } = view();
  const secret = secrets.get(name);
  const held = new Set(Object.values(secret?.holders ?? {}));
  return [...tokens.values()].filter((token) => {
    const isMarked = token.marker.secret === name && token.marker.home === secret?.home;
    return isAlive(token) && (isMarked || held.has(token.id));
  });
}

/** Ids of the tokens of a secret that an order about all of it is to end, as things are when it is given. */
export function condemnedIn(
  name: string,
  way: string,
  seen: Pick<Laboratory, 'view'>,
): readonly string[] {
  if (!ENDING.includes(way)) return [];
  return tokensOf(seen, name)
    .filter(({ marker }) => way !== 'replace' || marker.frozen === undefined)
    .map(({ id }) => id);
}

/** The same of a scenario. */
export function condemnedBy(
  laboratory: Laboratory,
  { way, single }: OrderScenario,
): readonly string[] {
  if (single && ENDING.includes(way)) return [laboratory.world.holders(SECRET)[single] ?? ''];
  return condemnedIn(SECRET, way, laboratory);
}

/** The same for a repetition that names a token: by now that may be neither current nor pending, and is meant alone. */
export function stillCondemned(
  { world }: Laboratory,
  named: string,
  condemned: readonly string[],
): readonly string[] {
  const { AWSCURRENT, AWSPENDING } = world.holders(SECRET);
  return [AWSCURRENT, AWSPENDING].includes(named)
    ? condemned
    : condemned.filter((id) => id === named);
}

/**
 * The same for an order that a person or a run outran: consumers had another string before it looked, so its plan, which people see,
 * says that the token that they named is meant alone. What the plan shows is meant, whatever is done behind it.
 */
export function meantWhenLooked(
  laboratory: Laboratory,
  named: string,
  condemned: readonly string[],
  { result }: Answer,
): readonly string[] {
  const planned = new Set(result?.plan.tokens.map(({ tokenId }) => tokenId));
  const still = stillCondemned(laboratory, named, condemned);
  return condemned.filter((id) => still.includes(id) || planned.has(id));
}

/** Some routers have forgotten a string that was ended before, and some have not. */
const HALF_FORGOTTEN =
  /has the string of a token that was ended before, and no answer tells whether it works: [1-9]\d* of \d+ probes were refused/;

/** The cluster takes longer to forget a string than a run may last: nothing is left, but the proof. */
const isOfTime = (why: string) =>
  why.startsWith('it was not seen refused in time') || HALF_FORGOTTEN.test(why);

export const lacksTimeAlone = ({ result }: Answer): boolean =>
  result?.done === true && reasonsOf(result).every(isOfTime);

/** All that is not confirmed, but for time, is tokens that lost their marker, of which the order says that they work. */
export const namesForeignAlone = (
  { history, view }: Pick<Laboratory, 'history' | 'view'>,
  { result }: Answer,
): boolean => {
  const { tokens } = view();
  const alive = Object.keys(history.foreign).filter((id) => {
    const token = tokens.get(id);
    return token !== undefined && isAlive(token) && isArmed(token);
  });
  return (
    result?.done === true &&
    reasonsOf(result).every((why) => isOfTime(why) || alive.some((id) => why.includes(id)))
  );
};

/** Whether any router lets a token do what it could do once. */
const worksSomewhere = ({ history, world }: Judged, id: string) =>
  (history.granted[id] ?? []).some(
    ({ action, resource }) =>
      world.cluster.acceptedBy(
        history.strings[id] ?? '',
        action === 'read' ? 'read' : 'write',
        resource ?? '',
      ).length > 0,
  );

const reasonsOf = ({ unconfirmed, tokens }: RevocationReport) => [
  ...unconfirmed,
  ...tokens.flatMap((each) => each.unconfirmed ?? []),
];

/** Whether every router lets a token do all that it could do once. */
const worksEverywhere = ({ history, world }: Judged, id: string) =>
  (history.granted[id] ?? []).every(({ action, resource }) =>
    world.accepts(history.strings[id] ?? '', action === 'read' ? 'read' : 'write', resource),
  );

/** What tells people nothing. */
const BUGS = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError'];

/** L: what an answer says of the tokens that were to be ended. */
export function* claims(
  laboratory: Judged,
  condemned: readonly string[],
  { result, error }: Answer,
): Violations {
  const { tokens, secrets, at } = laboratory.view();
  const { givenByHand, foreign } = laboratory.history;
  const planned = new Set(result?.plan.tokens.map(({ tokenId }) => tokenId));
  const stored = new Set(
    [...secrets.values()].flatMap((each) => each.versions.map((v) => v.token)),
  );
  for (const id of condemned.filter((each) => result?.done && !givenByHand[each])) {
    const token = tokens.get(id);
    // What is left is named, unless a person put its string and no marker knows it.
    const isNamed = foreign[id] || result?.unconfirmed.some((text) => text.includes(id));
    if (token && isAlive(token) && isArmed(token) && !isExpired(token, at) && !isNamed)
      yield `L: done, and ${short(id)} can do something`;
    // A token without our marker whose secret was deleted for good before the order looked: nothing tells that it was its.
    const isUntied = foreign[id] && !stored.has(id) && !planned.has(id);
    if (result?.confirmed && !isUntied && worksSomewhere(laboratory, id)) {
      yield `L: confirmed, and a router accepts ${short(id)}`;
    }
  }
  if (result && !result.confirmed && reasonsOf(result).length === 0) {
    yield 'L: not confirmed, and nothing says why';
  }
  if (error && BUGS.includes(error.errorType)) {
    yield `L: an error that tells people nothing: ${error.errorType}: ${error.errorMessage}`;
  }
}

/** H: what people put on hold meanwhile is not let go by an order that never saw it. */
export function* keepsHoldsOfOthers({ view, history }: Laboratory): Violations {
  for (const [name, secret] of view().secrets) {
    if (history.heldByHand[name] && !isOnHold(secret)) yield `H: the hold of others is gone`;
  }
}

const HOLDS: Readonly<Record<string, string>> = { freeze: 'frozen', delete: 'deleted' };
/** After these, consumers have a token that can do something. */
const GIVING = ['replace', 'unfreeze'];

/**
 * Nothing is given back to a token that expired or that a person deleted, or whose marker they took (that had what it could do), or in a secret
 * that has no value: the answer to an unfreeze says so.
 */
function isToldGone(
  answer: Answer,
  name: string,
  current: SeenToken | undefined,
  { view, history: { foreign } }: Judged,
): boolean {
  if (current === undefined) {
    return says(answer, `${name} has no version`);
  }
  const row = answer.result?.tokens.find(({ tokenId }) => tokenId === current.id);
  const isOver = !isAlive(current) || isExpired(current, view().at);
  const isLost = isOver || foreign[current.id] === true;
  return isLost && row?.unconfirmed !== undefined;
}

/** Whether an answer names something that it does not confirm. */
const says = ({ result }: Answer, what: string) =>
  result?.unconfirmed.some((text) => text.includes(what)) === true;

/** What an order about a secret has brought about, when it says that it is done. */
export function* reached(
  laboratory: Judged,
  { way }: { readonly way: string },
  answer: Answer,
  name = SECRET,
): Violations {
  const seen = laboratory.view();
  const secret = seen.secrets.get(name);
  if (!secret || secret.isDeleted) return;
  const isSaid = (what: string) => says(answer, what);
  const hold = holdOf(secret);
  // Nobody may write a secret from which a person took our tag: then the answer says that no hold could be set.
  const isBarred = secret.tags['keyturn:owner'] === undefined && isSaid(`set on ${name}`);
  // Lifting a deletion leaves the freeze that a person set beside it, and says so.
  const isLeftFrozen = way === 'lift' && hold === 'frozen' && isSaid(`${name} stays on hold`);
  if (hold !== HOLDS[way] && !isBarred && !isLeftFrozen)
    yield `H: ${way} was done, and the hold is ${hold}`;
  // What a person put, and no marker knows, is in what is not confirmed. So is another secret's, which is ended there, and given
  // back there, unless it can do nothing, and what an order by one token left because nobody may look whether that is current.
  const isLeftThere = (token: SeenToken) =>
    token.marker.secret !== name &&
    (way === 'unfreeze' ? isSaid(name) : isSaid(token.id) || !isArmed(token));
  const tokens = tokensOf(laboratory, name).filter(
    (token) =>
      !isExpired(token, seen.at) &&
      !laboratory.history.foreign[token.id] &&
      !(isBarred && isSaid(token.id)) &&
      !isLeftThere(token),
  );
  const left = {
    delete: tokens,
    freeze: tokens.filter(isArmed),
    unfreeze: tokens.filter(({ marker }) => marker.frozen !== undefined),
  }[way];
  if (left?.length) yield `L: ${way} was done, and left ${left.map(({ id }) => short(id))}`;
  if (GIVING.includes(way)) yield* gave(laboratory, way, answer, secret);
}

/** What consumers of a secret have after an order that gives them something. */
function* gave(laboratory: Judged, way: string, answer: Answer, secret: SeenSecret): Violations {
  const { name, labels, holders } = secret;
  const current = laboratory.view().tokens.get(holders.AWSCURRENT ?? '');
  const works = current && isAlive(current) && isArmed(current);
  // What a person has put there is theirs, and an alarm tells of it. The string of a token that was ours, the answer does not confirm.
  const isPlaced = laboratory.history.placed[labels.AWSCURRENT ?? ''];
  const isTheirs = isPlaced && (!current || says(answer, name));
  const isLost = way === 'unfreeze' && isToldGone(answer, name, current, laboratory);
  if (!works && !isTheirs && !isLost) yield `A: ${way} was done, and AWSCURRENT is not armed`;
  const isConfirmed = answer.result?.confirmed && current;
  if (isConfirmed && !worksEverywhere(laboratory, current.id))
    yield `A: ${way} was confirmed, and AWSCURRENT cannot do all that it could`;
}

/** A token that an earlier attempt of an order made, and that consumers have now, or would have next. */
interface Successor {
  readonly id: string;
  /** The same words still mean the same order. */
  readonly goesOn: boolean;
}

const SAME_ORDER_MS = 3_600_000;

/** The successor that an order finds when it is given again. */
export function successorOf(
  laboratory: Pick<Laboratory, 'view' | 'history'>,
  name = SECRET,
): Successor | undefined {
  const { at, tokens, secrets } = laboratory.view();
  const { holders = {}, labels = {} } = secrets.get(name) ?? {};
  const { AWSCURRENT = '', AWSPENDING = '' } = holders;
  const labelled = Object.values(labels);
  const ofOrder = (id: string) => {
    const token = tokens.get(id);
    const { order, superseded } = token?.marker ?? {};
    const isAble = token !== undefined && isAlive(token) && (isArmed(token) || id !== AWSCURRENT);
    return isAble && order !== undefined && superseded === undefined ? token : undefined;
  };
  const pending = ofOrder(AWSPENDING);
  if (pending && AWSPENDING !== AWSCURRENT) return { id: pending.id, goesOn: true };
  const current = ofOrder(AWSCURRENT);
  if (!current) return undefined;
  const isYoung = at - current.createdAt < SAME_ORDER_MS;
  const older = tokensOf(laboratory, name).filter(
    // Nothing ends what a person put and nobody knows: it keeps no order open. The id of its version tells of one whose marker a person took.
    ({ id, createdAt, marker }) =>
      createdAt < current.createdAt &&
      marker.frozen === undefined &&
      (!laboratory.history.foreign[id] || labelled.includes(`keyturn-${id}`)),
  );
  return { id: current.id, goesOn: isYoung || older.length > 0 };
}

/** The same words go on where they ended, or are a new order; never does one undo what the same one did. */
export function* goesOnOrBeginsAnew(
  laboratory: Pick<Laboratory, 'view'>,
  { id, goesOn }: Successor,
  name = SECRET,
): Violations {
  const { tokens, secrets } = laboratory.view();
  const isCurrent = secrets.get(name)?.holders.AWSCURRENT === id;
  const token = tokens.get(id);
  const lives = token !== undefined && isAlive(token);
  if (goesOn && !lives) yield `the order revoked ${short(id)}, which it had minted itself`;
  else if (goesOn && !isCurrent)
    yield `the order replaced ${short(id)}, which it had minted itself`;
  if (!goesOn && lives) yield `a new order left ${short(id)}, which one long ago had minted`;
}
