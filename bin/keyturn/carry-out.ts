import type { Policy } from '../../functions/model/policy.ts';
import { type Revocation, readRevocation } from './answers.ts';
import { type CommonOptions, openEngine } from './common-options.ts';
import { confirmByTyping, readReason } from './confirm.ts';
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

/** The report that the failure of an order carries behind its words, as its last line. */
function reportIn(error: unknown): { readonly message: string; readonly report?: Revocation } {
  const lines = error instanceof Error ? error.message.split('\n') : [];
  if (kindOf(error) !== 'RevocationError') throw error;
  try {
    const report = readRevocation(JSON.parse(lines.at(-1) ?? ''));
    return { message: lines.slice(0, -1).join('\n'), report };
  } catch {
    return { message: lines.join('\n') };
  }
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
    terminal.print(json ? JSON.stringify(answer, null, 2) : shown);
    return;
  }
  terminal.note(formatBlastRadius(answer, immediately, terminal.noteStyle));

  const reason = await readReason(options.reason, terminal);
  const word = wordFor(order, answer, policy);
  // A script that means everything names the cluster: --yes alone would fit any.
  const [confirmed, flag] = order.event.all
    ? [options.confirm !== undefined, `--confirm ${word}`]
    : [options.yes === true, '--yes'];
  if (!confirmed) await confirmByTyping(word, flag, terminal);
  const confirm = order.event.all ? { confirm: options.confirm ?? word } : {};

  const place = engine.placeOf('revoke');
  terminal.note(terminal.noteStyle('dim', `\n  ${place} is at work; a minute or two is usual`));
  const ordered = { ...event, ...confirm, reason };
  let report: Revocation | undefined;
  let failure: CommandError | undefined;
  try {
    report = readRevocation(
      await whileWaiting(terminal, place, () => engine.call('revoke', ordered)),
    );
  } catch (error) {
    const failed = reportIn(error);
    report = failed.report;
    failure = new CommandError(failed.message, { cause: error });
  }
  if (report) {
    const shown = formatRevocation(report, terminal.style);
    terminal.print(json ? JSON.stringify(report, null, 2) : shown);
  }
  if (failure) throw failure;
  process.exitCode = report?.confirmed ? EXIT.done : EXIT.unconfirmed;
}
