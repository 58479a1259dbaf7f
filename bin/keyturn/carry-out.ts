import type { Policy } from '../../functions/policy/policy.ts';
import { type Revocation, readRevocation } from './answers.ts';
import { type CommonOptions, openEngine } from './common-options.ts';
import { confirmByTyping, readReason } from './confirm.ts';
import type { Engine } from './engine.ts';
import { CommandError, EXIT, kindOf } from './failure.ts';
import { formatBlastRadius, formatRevocation } from './revocation-text.ts';
import type { Selection } from './selectors.ts';
import type { Terminal } from './terminal.ts';
import { whileWaiting } from './waiting.ts';

export interface OrderOptions extends CommonOptions {
  readonly reason?: string;
  readonly yes?: true;
  readonly confirm?: string;
  readonly dryRun?: true;
}

export interface Order extends Selection {
  readonly way: string;
  readonly immediately?: boolean;
  readonly noUndo?: boolean;
}

/**
 * The word to type as confirmation: for a leaked string the name of its token, for all tokens the
 * cluster's host.
 */
function confirmationWord(
  { event, word }: Order,
  { plan }: Revocation,
  { cluster }: Policy,
): string {
  if (event.all) return new URL(cluster.url).hostname;
  const [token] = plan.tokens;
  return word ?? token?.token ?? token?.tokenId ?? 'revoke';
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

/** Before anything is done, a person sees what the order affects, confirms it, and gives a reason. */
async function confirmOrder(
  { event }: Order,
  word: string,
  options: OrderOptions,
  terminal: Terminal,
): Promise<{ readonly reason: string; readonly confirm?: string }> {
  const reason = await readReason(options.reason, terminal);
  if (!event.all) {
    if (!options.yes) await confirmByTyping(word, '--yes', terminal);
    return { reason };
  }
  // A script that revokes all tokens names the cluster: --yes alone would fit any cluster.
  const { confirm } = options;
  if (confirm === undefined) await confirmByTyping(word, `--confirm ${word}`, terminal);
  return { reason, confirm: confirm ?? word };
}

/** Shows what an order affects, asks for confirmation, carries it out, and shows what is proven. */
export async function carryOut(
  order: Order,
  options: OrderOptions,
  terminal: Terminal,
): Promise<void> {
  const { policy, engine, json } = openEngine(options, terminal);
  const { way, immediately = false, noUndo = false } = order;
  const event = {
    way,
    ...order.event,
    ...(immediately && { immediately }),
    ...(noUndo && { noUndo }),
  };
  const answer = readRevocation(await engine.call('revoke', { ...event, dryRun: true }));
  if (options.dryRun) {
    const shown = formatBlastRadius(answer, immediately, terminal.style);
    if (json) terminal.printJson(answer);
    else terminal.print(shown);
    return;
  }
  terminal.note(`${formatBlastRadius(answer, immediately, terminal.noteStyle)}\n`);

  const word = confirmationWord(order, answer, policy);
  const confirmation = await confirmOrder(order, word, options, terminal);
  const { report, failure } = await sendOrder({ ...event, ...confirmation }, engine, terminal);
  if (report && json) terminal.printJson(report);
  else if (report) terminal.print(formatRevocation(report, terminal.style));
  if (failure) throw failure;
  process.exitCode = report?.confirmed ? EXIT.done : EXIT.unconfirmed;
}
