import type { Policy } from '../../functions/policy/policy.ts';
import { type CommonOptions, openEngine } from './common-options.ts';
import { confirmByTyping, readReason, refuseOtherHost } from './confirm.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT, kindOf, NotStartedError, sentenceOf } from './failure.ts';
import { mergeOrders } from './merge-orders.ts';
import { operatorName } from './operator.ts';
import {
  formatPreview,
  nameOrders,
  type Order,
  type Previewed,
  previewAll,
  refusalOf,
  type Signature,
  underHeading,
  unknownOf,
} from './preview.ts';
import { formatRevocation } from './revocation-text.ts';
import { type Outcome, sendOrder } from './send-order.ts';
import { AT_ONCE, severalAtOnce } from './several-at-once.ts';
import type { Terminal } from './terminal.ts';
import { InterruptedError } from './waiting.ts';

export interface OrderOptions extends CommonOptions {
  readonly reason?: string;
  readonly yes?: true;
  readonly confirm?: string;
  readonly dryRun?: true;
  readonly withoutSecrets?: true;
}

const isForAll = ({ event }: Previewed) => 'all' in event;

/**
 * The word to type as confirmation: for a leaked string the name of its token, for all tokens the
 * cluster's host, for several strings what is done to them.
 */
function confirmationWord(known: readonly Previewed[], { cluster }: Policy): string {
  const [first, another] = known;
  if (!first || another) return 'revoke';
  if (isForAll(first)) return new URL(cluster.url).hostname;
  const [token] = first.answer?.plan.tokens ?? [];
  return first.order.word ?? token?.token ?? token?.tokenId ?? 'revoke';
}

/** Before anything is done, a person sees what the orders affect, and confirms them. */
async function confirmOrders(
  known: readonly Previewed[],
  policy: Policy,
  { yes, confirm }: OrderOptions,
  terminal: Terminal,
): Promise<{ readonly confirm?: string; readonly isSeen: boolean }> {
  const word = confirmationWord(known, policy);
  if (!known.some(isForAll)) {
    if (!yes) await confirmByTyping(word, '--yes', terminal);
    return { isSeen: !yes };
  }
  // A script that revokes all tokens names the cluster: --yes alone would fit any cluster.
  if (confirm === undefined) await confirmByTyping(word, `--confirm ${word}`, terminal);
  return { confirm: confirm ?? word, isSeen: confirm === undefined };
}

/** What became of one order. */
interface Ended extends Outcome {
  readonly previewed: Previewed;
}

function printReport(ended: Ended, terminal: Terminal): void {
  const { report, refusedAgain, previewed } = ended;
  if (!report) return;
  const { style, hasPrinted } = terminal;
  const text = underHeading(
    previewed.heading,
    formatRevocation(report, style, refusedAgain),
    style,
  );
  terminal.print(hasPrinted ? `\n${text}` : text);
}

const notGiven = () => new CommandError('its order was not given; nothing was done');

/** Two runs about one secret are safe, and the second finds out again what the first has done. */
const groupsOf = (known: readonly Previewed[]): readonly (readonly Previewed[])[] => [
  ...Map.groupBy(known, (each) => each.answer?.plan.secrets[0] ?? each).values(),
];

const isInterrupted = ({ failure }: Outcome) => failure instanceof InterruptedError;

/** Several strings leaked: none of them works on because another one is proven dead first. */
async function carryOutAll(
  known: readonly Previewed[],
  { confirm, isSeen }: { readonly confirm?: string; readonly isSeen: boolean },
  engine: Engine,
  { json }: OrderOptions,
  terminal: Terminal,
): Promise<readonly Ended[]> {
  const { note, noteStyle } = terminal;
  const ended = new Map<Previewed | undefined, Ended>();
  const open = [...known];
  const end = (each: Ended) => {
    ended.set(each.previewed, each);
    // In the order of the strings.
    for (let next = ended.get(open[0]); next; next = ended.get(open[0])) {
      open.shift();
      if (!json) printReport(next, terminal);
    }
  };
  const give = ({ event, answer, merged }: Previewed): Promise<Outcome> => {
    if ([...ended.values()].some(isInterrupted)) return Promise.resolve({ failure: notGiven() });
    const hash = answer?.plan.hash;
    const order = {
      ...event,
      ...(confirm !== undefined && { confirm }),
      // What a person saw is what is done; and that one order ends several strings is true of this plan alone.
      ...((isSeen || merged) && hash !== undefined && { plan: hash }),
    };
    // The other strings leaked as well: their orders are given all the same.
    return sendOrder(order, engine).catch((failure: unknown) => ({ failure }));
  };
  const place = engine.placeOf('revoke');
  note(noteStyle('dim', `  ${place} is working; this usually takes a minute or two`));
  await severalAtOnce(groupsOf(known), async (previewed, isAlone) => {
    const outcome = await give(previewed);
    if (!isAlone && outcome.failure instanceof NotStartedError) {
      note(`${previewed.heading}: Lambda starts no more runs now; its order waits for another one`);
      return false;
    }
    end({ previewed, ...outcome });
    return true;
  });
  return known.flatMap((each) => ended.get(each) ?? []);
}

/** The answer for the only string; of several, one object for each, with the answer of the order that it belongs to. */
function printJson(
  previews: readonly Previewed[],
  ended: readonly Ended[],
  terminal: Terminal,
): void {
  const told = previews.flatMap((each) =>
    each.lines.map((line) => {
      const ofLine = ended.find(({ previewed }) => previewed.lines.includes(line));
      const error = ofLine?.failure === undefined ? each.unknown : sentenceOf(ofLine.failure);
      const answer = ended.length > 0 ? ofLine?.report : each.answer;
      return { line, ...(error !== undefined && { error }), ...(answer && { answer }) };
    }),
  );
  const [only, another] = told;
  if (another) terminal.printJson(told.sort((a, b) => a.line - b.line));
  else if (only?.answer) terminal.printJson(only.answer);
}

/** What is refused before anything is done. */
const lookedAt = (known: readonly Previewed[]): readonly Ended[] =>
  known.map((previewed) => ({ previewed, failure: refusalOf(previewed) }));

const isRefused = ({ failure }: Ended) =>
  failure instanceof CommandError && failure.exitCode === EXIT.refused;

/** @throws what became of the only order; of several, all that was not carried out, as one */
function refuseUnfinished(previews: readonly Previewed[], ended: readonly Ended[]): void {
  const failed = ended.filter(({ failure }) => failure !== undefined);
  const [first] = failed;
  if (first?.previewed.heading === '') throw first.failure;
  const unknown = unknownOf(previews);
  if (!first && unknown === undefined) return;
  const lines = failed.map(
    ({ previewed: { heading }, failure }) => `${heading}: ${sentenceOf(failure)}`,
  );
  const isAllRefused = unknown === undefined && failed.every(isRefused);
  throw new CommandError([...lines, unknown ?? []].flat().join('\n'), {
    cause: first?.failure,
    exitCode: isAllRefused ? EXIT.refused : EXIT.failed,
  });
}

/** How often a plan is shown again that changed while a person read it. */
const MOST_LOOKS = 3;

const isChanged = ({ failure }: Ended) => kindOf(failure) === 'PlanChangedError';
const isKnown = ({ unknown }: Previewed) => unknown === undefined;

/** What a person confirms, and who then does it. */
interface Confirming {
  readonly policy: Policy;
  readonly engine: Engine;
  readonly signature: Signature;
  readonly options: OrderOptions;
  readonly terminal: Terminal;
}

/** Asks for the confirmation of what was shown, and carries it out. One that is refused stops no other. */
async function confirmAndCarryOut(
  known: readonly Previewed[],
  { policy, engine, options, terminal }: Confirming,
): Promise<readonly Ended[]> {
  const looked = lookedAt(known);
  const refused = looked.filter(isRefused);
  const possible = looked.filter((each) => !isRefused(each)).map(({ previewed }) => previewed);
  if (possible.length === 0) return refused;
  for (const { previewed, failure } of refused) {
    terminal.note(`${previewed.heading}: ${sentenceOf(failure)}`);
  }
  if (possible.length > AT_ONCE && possible.some(({ order }) => order.way === 'replace')) {
    terminal.note(
      `${AT_ONCE} of these ${possible.length} orders are carried out at once, and each takes some minutes: the last strings work until the others are dead. --freeze is quicker`,
    );
  }
  const confirmation = await confirmOrders(possible, policy, options, terminal);
  return [...refused, ...(await carryOutAll(possible, confirmation, engine, options, terminal))];
}

/**
 * Of several orders, one may change what another one would do: what changed since a person saw it is shown
 * again, and asked for again. What ended stays ended.
 */
async function carryOutShown(
  shown: readonly Previewed[],
  confirming: Confirming,
): Promise<readonly Ended[]> {
  const { engine, signature, terminal } = confirming;
  const ended: Ended[] = [];
  let open = shown;
  for (let look = 1; ; look += 1) {
    const tried = await confirmAndCarryOut(open, confirming).catch((failure: unknown) => {
      if (ended.length === 0) throw failure; // nothing was done by any order
      return open.map((previewed) => ({ previewed, failure }));
    });
    const changed = look === MOST_LOOKS ? [] : tried.filter(isChanged);
    ended.push(...tried.filter((each) => !changed.includes(each)));
    if (changed.length === 0) return ended;
    const orders = changed.flatMap(({ previewed }) => previewed.merged ?? [previewed]);
    const what = ended.length === 0 ? 'nothing was done' : 'nothing was done for what follows';
    terminal.note(`Something changed since this was shown; ${what}. This is the order now:`);
    const looked = await previewAll(orders, signature, engine).catch((failure: unknown) => {
      ended.push(...changed.map(({ previewed }) => ({ previewed, failure })));
      return [];
    });
    const again = mergeOrders(looked);
    for (const each of again) terminal.note(`${formatPreview(each, terminal.noteStyle)}\n`);
    const lost = again.filter((each) => !isKnown(each));
    ended.push(
      ...lost.map((previewed) => ({
        previewed,
        failure: new CommandError(`${previewed.unknown}; nothing was done`),
      })),
    );
    open = again.filter(isKnown);
    if (open.length === 0) return ended;
  }
}

/**
 * Shows what orders affect, asks once for their confirmation, carries each of them out, and shows what is proven.
 * The exit code is the worst: an order that was not carried out, then one that is not proven.
 */
export async function carryOut(
  orders: readonly Order[],
  options: OrderOptions,
  terminal: Terminal,
): Promise<void> {
  const json = options.json === true;
  const { policy, engine, isLocal } = openEngine(options, terminal);
  refuseOtherHost(options.confirm, policy);
  // The reason first: the same order with the same reason goes on where it ended, and the preview shows that.
  const reason = options.dryRun ? options.reason : await readReason(options.reason, terminal);
  // A hold shows who gave the order.
  const signature = { by: operatorName(), ...(reason !== undefined && { reason }) };
  const confirm = options.confirm ?? new URL(policy.cluster.url).hostname;
  const named = nameOrders(orders.map((each) => ({ ...each, confirm, isLocal })));
  const previews = mergeOrders(await previewAll(named, signature, engine));
  const known = previews.filter(isKnown);
  if (options.dryRun || known.length === 0) {
    // The error says all that there is to say of a single string without an answer.
    const told = previews.filter(({ answer, heading }) => answer || heading !== '');
    const texts = told.map((each) => formatPreview(each, terminal.style));
    if (json) printJson(previews, [], terminal);
    else if (texts.length > 0) terminal.print(texts.join('\n\n'));
    return refuseUnfinished(previews, lookedAt(known));
  }
  for (const each of previews) terminal.note(`${formatPreview(each, terminal.noteStyle)}\n`);
  const ended = await carryOutShown(known, { policy, engine, signature, options, terminal });
  if (json) printJson(previews, ended, terminal);
  refuseUnfinished(previews, ended);
  const isProven = ended.every(({ report }) => report?.confirmed);
  process.exitCode = isProven ? EXIT.done : EXIT.unconfirmed;
}
