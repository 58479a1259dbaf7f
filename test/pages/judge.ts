import type { Happening } from '../../bin/keyturn/history/happening.ts';
import type { Span, TokenState } from '../../bin/keyturn/report/life.ts';
import { formatInstant } from '../../functions/time.ts';
import { MINUTE } from '../world/policy.ts';
import { isWhole } from './draw.ts';
import type { Looked } from './look.ts';
import {
  holdersAt,
  isByHand,
  isOurs,
  isUnnoticed,
  type Lived,
  PERSON,
  type Since,
  type Truth,
  tokenAt,
} from './truth.ts';

/** The clocks of the cluster and of AWS, and a run that does several things at once. */
const ROUNDED = 4 * MINUTE;
/** A number that meets every minute of an hour. */
const STEP = 23 * MINUTE;

const WITH_PERMISSIONS: readonly TokenState[] = ['live', 'current', 'superseded'];
const WITHOUT: readonly TokenState[] = ['inert', 'quarantined', 'frozen'];

interface Instant {
  readonly at: number;
  readonly tokenId: string;
  readonly state: TokenState | undefined;
  readonly truth: Lived | undefined;
  readonly isCurrent: boolean;
  /** A person gave consumers what they read, or took it, and nothing that is asked can tell of it. */
  readonly isUnnoticed: boolean;
}

/** Whether a token has permissions is told by the log of who gave or took them, once somebody does the other: it may be denied, or be of before. */
const isUntold = ({ truth }: Instant, { since, question }: Looked) =>
  truth !== undefined && (truth.at < since || question.denied.includes(truth.by));

/** What is false about whether there is a bar at all. */
function falseBeing({ state, truth }: Instant): string | undefined {
  if (!truth) return state && `drawn as ${state} before it was minted`;
  if (truth.isDeleted) return state && `drawn as ${state}, deleted`;
  return state ? undefined : 'not drawn, and lives';
}

/** What is false about what a bar says at one instant. */
function falseState(each: Instant, looked: Looked): string | undefined {
  const { state = 'unknown', isCurrent, isUnnoticed } = each;
  const { hasPermissions = false } = each.truth ?? {};
  if (state === 'current' && !isCurrent && !isUnnoticed) return 'drawn as current, and is not';
  const isMistaken = (hasPermissions ? WITHOUT : WITH_PERMISSIONS).includes(state);
  if (isMistaken && isUntold(each, looked)) return undefined;
  if (state !== 'current' && isCurrent && hasPermissions && !isUnnoticed)
    return `drawn as ${state}, current`;
  if (!isMistaken) return undefined;
  return `drawn as ${state}, ${hasPermissions ? 'and works' : 'without permissions'}`;
}

/** Undefined: nothing is false. A bar that says that nothing is known never is. */
function falseOf(each: Instant, looked: Looked): string | undefined {
  const { state, truth } = each;
  if (state === 'unknown') return undefined;
  const lives = truth !== undefined && !truth.isDeleted;
  return lives && state ? falseState(each, looked) : falseBeing(each);
}

const stateAt = (spans: readonly Span[], at: number) =>
  spans.find(({ from, until = Number.POSITIVE_INFINITY }) => from <= at && at < until)?.state;

/** Nothing tells of a label that was moved, until a run looks: then whoever asks for everything is told that it was moved. */
function isUnseen({ question, page }: Looked, truth: Truth, at: number): boolean {
  const isSeen = truth.looks.some((look) => look.at > at && look.at < page.now);
  return isUnnoticed(truth, at) && !(isSeen && isWhole(question));
}

/** Whose string somebody saved is told by the log of `rotate` alone. */
const isUntoldGift = (looked: Looked, truth: Truth, at: number) =>
  isUnseen(looked, truth, at) ||
  isByHand(truth, at, looked.question.denied.includes('rotate') ? at : looked.since);

/** Every token at every instant that is shown, but around what was done, where a minute decides. */
function* instantsOf(looked: Looked, truth: Truth): Iterable<Instant> {
  const {
    since,
    page: { groups, now },
  } = looked;
  const lives = groups.flatMap((group) => group.lives);
  const ids = new Set([...truth.lived, ...lives].map(({ tokenId }) => tokenId));
  const changes = [...truth.held, ...truth.lived].map(({ at }) => at);
  for (let at = since + MINUTE; at <= now; at += STEP) {
    if (changes.some((each) => Math.abs(each - at) < ROUNDED)) continue;
    const holders = holdersAt(truth, at);
    for (const tokenId of ids) {
      const spans = lives.find((life) => life.tokenId === tokenId)?.spans ?? [];
      yield {
        ...{ at, tokenId, state: stateAt(spans, at) },
        ...{ truth: tokenAt(truth, tokenId, at), isCurrent: holders.has(tokenId) },
        isUnnoticed: isUntoldGift(looked, truth, at),
      };
    }
  }
}

const short = (tokenId = 'nobody’s') => tokenId.slice(0, 8);

/** Each kind once, with its first instant. */
function firstOfEach(found: Iterable<readonly [what: string, at: number]>): readonly string[] {
  const first = new Map<string, number>();
  for (const [what, at] of found) if (!first.has(what)) first.set(what, at);
  return [...first].map(([what, at]) => `${formatInstant(at)} ${what}`);
}

/** The bars that say what is not so. */
export const falseBars = (looked: Looked, truth: Truth): readonly string[] =>
  firstOfEach(
    [...instantsOf(looked, truth)].flatMap((each) => {
      const what = falseOf(each, looked);
      return what ? [[`${short(each.tokenId)}: ${what}`, each.at] as const] : [];
    }),
  );

/** The bars that say nothing of what consumers read, where Keyturn gave it to them, and all logs tell of it. */
export const needlessDoubts = (looked: Looked, truth: Truth): readonly string[] =>
  firstOfEach(
    [...instantsOf(looked, truth)].flatMap(({ at, tokenId, state, isCurrent }) =>
      isCurrent && state === 'unknown' && isOurs(truth, tokenId, at)
        ? [[`${short(tokenId)}: current, drawn as unknown`, at] as const]
        : [],
    ),
  );

const NOT_BY_US = /not Keyturn|not known|perhaps|somebody|who moved|hand/;
const DIED = 'a run that died there';
const THEN_OR_LATER = /then or later/;

const near = <T extends Since>(list: readonly T[], at: number, isIt: (each: T) => boolean) =>
  list.find((each) => Math.abs(each.at - at) <= ROUNDED + 2 * MINUTE && isIt(each));

type Judge = (each: Happening, truth: Truth) => string | undefined;

const isOf =
  ({ tokenId }: Happening) =>
  (other: { readonly tokenId: string | undefined }) =>
    other.tokenId === tokenId;

/** What is false about one line of a history, by what it tells. Undefined: nothing that this knows of. */
const JUDGES: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  [
    'promoted',
    (each, { held }) => {
      const { at, by = '', why = '' } = each;
      const found = near(held, at, isOf(each));
      if (!found) return THEN_OR_LATER.test(why) ? undefined : 'it did not get AWSCURRENT then';
      return found.by === PERSON && !NOT_BY_US.test(by) ? `${by}, and a person did` : undefined;
    },
  ],
  [
    'deleted',
    (each, { lived }) => {
      const { at, by = '' } = each;
      const found = near(lived, at, (other) => isOf(each)(other) && other.isDeleted);
      if (!found) return 'it was not then';
      if (found.by === PERSON) return NOT_BY_US.test(by) ? undefined : `${by}, and a person did`;
      return by.startsWith('not Keyturn') && !by.includes(DIED)
        ? `${by}, and ${found.by} did`
        : undefined;
    },
  ],
  [
    'string refused',
    (each, { lived }) => {
      const then = lived.findLast((other) => isOf(each)(other) && other.at <= each.at + MINUTE);
      return then?.hasPermissions && !then.isDeleted ? 'it works' : undefined;
    },
  ],
]);

/** What comes but once; what is superseded, or quarantined, may be current again. */
const ORDER = ['minted', 'stored', 'promoted', 'deleted'];

/** The first of each step of a token, in another order than they can be. */
function falseOrder(told: readonly Happening[]): readonly string[] {
  return [...Map.groupBy(told, ({ tokenId }) => tokenId)].flatMap(([tokenId, steps]) => {
    const told = steps.filter(({ why = '' }) => !THEN_OR_LATER.test(why));
    const firsts = [...new Set(told.map(({ what }) => what))].filter((what) =>
      ORDER.includes(what),
    );
    const right = firsts.toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
    return tokenId === undefined || firsts.join() === right.join()
      ? []
      : [`${short(tokenId)}: told as ${firsts.join(', ')}`];
  });
}

/** The lines of a history that say what is not so. */
export const falseLines = (
  { history: { happenings } }: Pick<Looked, 'history'>,
  truth: Truth,
): readonly string[] => [
  ...happenings.flatMap((each) => {
    const wrong = JUDGES.get(each.what)?.(each, truth);
    return wrong ? [`${formatInstant(each.at)} ${short(each.tokenId)} ${each.what}: ${wrong}`] : [];
  }),
  ...falseOrder(happenings),
];
