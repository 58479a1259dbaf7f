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

/** What is typed for an order that names no token by itself: of a leaked string, its token; of all, the cluster. */
function wordFor({ event, word }: Order, { plan }: Revocation, { cluster }: Policy): string {
  if (event.all) return new URL(cluster.url).hostname;
  const [token] = plan.tokens;
  return word ?? token?.token ?? token?.tokenId ?? 'revoke';
}

interface Done {
  readonly report?: Revocation;
  /** Why not all was done. */
  readonly failure?: CommandError;
}

/** An order that fails tells what it did all the same: its report is the last line of the error. */
function doneIn(error: unknown): Done {
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

async function give(order: object, engine: Engine, terminal: Terminal): Promise<Done> {
  const place = engine.placeOf('revoke');
  terminal.note(terminal.noteStyle('dim', `  ${place} is at work; a minute or two is usual`));
  try {
    const answer = await whileWaiting(terminal, place, () => engine.call('revoke', order));
    return { report: readRevocation(answer) };
  } catch (error) {
    return doneIn(error);
  }
}

/** Nothing is done before a person has seen what it touches, and has said why. */
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
  // A script that means everything names the cluster: --yes alone would fit any.
  const { confirm } = options;
  if (confirm === undefined) await confirmByTyping(word, `--confirm ${word}`, terminal);
  return { reason, confirm: confirm ?? word };
}

/** Shows what an order touches, has it confirmed, carries it out, and tells what is proven. */
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

  const word = wordFor(order, answer, policy);
  const confirmation = await confirmOrder(order, word, options, terminal);
  const { report, failure } = await give({ ...event, ...confirmation }, engine, terminal);
  if (report && json) terminal.printJson(report);
  else if (report) terminal.print(formatRevocation(report, terminal.style));
  if (failure) throw failure;
  process.exitCode = report?.confirmed ? EXIT.done : EXIT.unconfirmed;
}
