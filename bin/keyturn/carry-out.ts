import { hostname, userInfo } from 'node:os';
import type { Policy } from '../../functions/policy/policy.ts';
import { type Revocation, readRevocation } from './answers.ts';
import { type CommonOptions, openEngine } from './common-options.ts';
import { confirmByTyping, readReason } from './confirm.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT, kindOf, sentenceOf } from './failure.ts';
import {
  formatPreview,
  type Order,
  type Previewed,
  previewAll,
  refuseHopeless,
  refuseUnknown,
  type Signature,
  underHeading,
} from './preview.ts';
import { formatRevocation } from './revocation-text.ts';
import type { Terminal } from './terminal.ts';
import { whileWaiting } from './waiting.ts';

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

interface Outcome {
  readonly report?: Revocation;
  /** Why not everything was done. */
  readonly failure?: CommandError;
}

/** An order that fails also reports what it did: the report is the last line of the error. */
function outcomeOfError(error: unknown): Outcome {
  if (!(error instanceof Error) || kindOf(error) !== 'RevocationError') throw error;
  const lines = error.message.split('\n');
  try {
    const report = readRevocation(JSON.parse(lines.at(-1) ?? ''));
    const failure = new CommandError(lines.slice(0, -1).join('\n'), { cause: error });
    return { report, failure };
  } catch {
    return { failure: new CommandError(error.message, { cause: error }) };
  }
}

async function sendOrder(order: object, engine: Engine, terminal: Terminal): Promise<Outcome> {
  const place = engine.placeOf('revoke');
  terminal.note(
    terminal.noteStyle('dim', `  ${place} is working; this usually takes a minute or two`),
  );
  try {
    const answer = await whileWaiting(terminal, place, () => engine.call('revoke', order));
    return { report: readRevocation(answer) };
  } catch (error) {
    return outcomeOfError(error);
  }
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
  const { host, hostname } = new URL(policy.cluster.url);
  if (confirm !== undefined && confirm !== host && confirm !== hostname) {
    throw new CommandError(
      `refused: --confirm names ${confirm}, and the cluster is ${hostname}; nothing was done`,
      { exitCode: EXIT.refused },
    );
  }
  // A script that revokes all tokens names the cluster: --yes alone would fit any cluster.
  if (confirm === undefined) await confirmByTyping(word, `--confirm ${word}`, terminal);
  return { confirm: confirm ?? word, isSeen: confirm === undefined };
}

/** What became of one order. */
interface Ended {
  readonly previewed: Previewed;
  readonly report?: Revocation | undefined;
  readonly failure?: unknown;
}

async function carryOutAll(
  known: readonly Previewed[],
  { confirm, isSeen }: { readonly confirm?: string; readonly isSeen: boolean },
  engine: Engine,
  terminal: Terminal,
): Promise<readonly Ended[]> {
  const ended: Ended[] = [];
  for (const previewed of known) {
    if (previewed.heading !== '') terminal.note(previewed.heading);
    const hash = previewed.answer?.plan.hash;
    const order = {
      ...previewed.event,
      ...(confirm !== undefined && { confirm }),
      // What a person saw is what is done.
      ...(isSeen && hash !== undefined && { plan: hash }),
    };
    const outcome = await sendOrder(order, engine, terminal).catch(
      // The other strings leaked as well: their orders are given all the same.
      (failure: unknown) => ({ failure }),
    );
    ended.push({ previewed, ...outcome });
  }
  return ended;
}

function printReports(ended: readonly Ended[], terminal: Terminal): void {
  const texts = ended.flatMap(({ report, previewed: { heading } }) =>
    report ? [underHeading(heading, formatRevocation(report, terminal.style), terminal.style)] : [],
  );
  if (texts.length > 0) terminal.print(texts.join('\n\n'));
}

/** The answer of the only order; of several, one object for each string. */
function printJson(
  previews: readonly Previewed[],
  ended: readonly Ended[],
  terminal: Terminal,
): void {
  const told = previews.map((each) => {
    const { report, failure } = ended.find(({ previewed }) => previewed === each) ?? {};
    const { line } = each.order;
    const error = failure === undefined ? each.unknown : sentenceOf(failure);
    const answer = ended.length > 0 ? report : each.answer;
    return { line, ...(error !== undefined && { error }), ...(answer && { answer }) };
  });
  const [only, another] = told;
  if (another) terminal.printJson(told);
  else if (only?.answer) terminal.printJson(only.answer);
}

/** @throws the failure of the only order, or those of several as one */
function refuseFailures(ended: readonly Ended[]): void {
  const failed = ended.filter(({ failure }) => failure !== undefined);
  const [first] = failed;
  if (!first) return;
  if (first.previewed.heading === '') throw first.failure;
  const lines = failed.map(
    ({ previewed: { heading }, failure }) => `${heading}: ${sentenceOf(failure)}`,
  );
  throw new CommandError(lines.join('\n'), { cause: first.failure });
}

/** How often a plan is shown again that changed while a person read it. */
const MOST_LOOKS = 3;

const planChanged = (ended: readonly Ended[]) =>
  ended.length > 0 && ended.every(({ failure }) => kindOf(failure) === 'PlanChangedError');

/** Shows the orders, asks for their confirmation and carries them out: again, if they changed meanwhile. */
async function confirmAndCarryOut(
  orders: readonly Order[],
  signature: Signature,
  options: OrderOptions,
  terminal: Terminal,
): Promise<{ readonly previews: readonly Previewed[]; readonly ended: readonly Ended[] }> {
  const { policy, engine } = openEngine(options, terminal);
  for (let look = 1; ; look += 1) {
    const previews = await previewAll(orders, signature, engine);
    const known = previews.filter(({ unknown }) => unknown === undefined);
    if (options.dryRun || known.length === 0) return { previews, ended: [] };
    for (const each of previews) terminal.note(`${formatPreview(each, terminal.noteStyle)}\n`);
    refuseHopeless(known);
    const confirmation = await confirmOrders(known, policy, options, terminal);
    const ended = await carryOutAll(known, confirmation, engine, terminal);
    if (look === MOST_LOOKS || !planChanged(ended)) return { previews, ended };
    terminal.note(
      'Something changed while you read this; nothing was done. This is the order now:',
    );
  }
}

/** A hold shows who gave the order. */
const orderedBy = () => `${userInfo().username}@${hostname()}`;

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
  // The reason first: the same order with the same reason goes on where it ended, and the preview shows that.
  const reason = options.dryRun ? options.reason : await readReason(options.reason, terminal);
  const signature = { by: orderedBy(), ...(reason !== undefined && { reason }) };
  const { previews, ended } = await confirmAndCarryOut(orders, signature, options, terminal);
  if (ended.length === 0) {
    // The error says all that there is to say of a single string without an answer.
    const told = previews.filter(({ answer, heading }) => answer || heading !== '');
    const texts = told.map((each) => formatPreview(each, terminal.style));
    if (json) printJson(previews, [], terminal);
    else if (texts.length > 0) terminal.print(texts.join('\n\n'));
    return refuseUnknown(previews);
  }
  if (json) printJson(previews, ended, terminal);
  else printReports(ended, terminal);
  refuseFailures(ended);
  refuseUnknown(previews);
  const isProven = ended.every(({ report }) => report?.confirmed);
  process.exitCode = isProven ? EXIT.done : EXIT.unconfirmed;
}
