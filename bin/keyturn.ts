#!/usr/bin/env node
import { EXIT, explain, kindOf, meaningOf, sentenceOf } from './keyturn/failure.ts';
import { refuseCredentials, refuseCredentialsIn, withoutOpaque } from './keyturn/misplaced.ts';
import { refuseUncheckedTls, settleHome } from './keyturn/operator.ts';
// npx keeps links to what it once ran in a folder: in a clone that is older than keyturn.cjs, to this file.
import { failureMarkdown } from './keyturn/plan-markdown.ts';
import { runProgram } from './keyturn/program.ts';
import { createTerminal } from './keyturn/terminal.ts';
import { hasBegun, untilInterrupted, wasStopped } from './keyturn/waiting.ts';

const terminal = createTerminal();
try {
  settleHome();
  refuseUncheckedTls();
  refuseCredentials(process.argv.slice(2));
  refuseCredentialsIn(process.env);
  await untilInterrupted(() => runProgram(terminal));
} catch (error) {
  const words = process.argv.slice(2);
  process.exitCode = explain(error, (text) => terminal.note(withoutOpaque(text, words)));
  // Whoever reads standard output as JSON finds the error there, unless a report says more.
  if (process.argv.includes('--json') && !terminal.hasPrinted) {
    const message = withoutOpaque(sentenceOf(error), words);
    terminal.printJson({ error: { kind: kindOf(error), message } });
  }
  if (process.argv.includes('--markdown') && !terminal.hasPrinted) {
    terminal.print(failureMarkdown(withoutOpaque(sentenceOf(error), words)));
  }
  await sayIfCut();
  process.exit(); // a run whose end nobody waits for would keep the process
}
await sayIfCut();
if (wasStopped()) process.exit();

async function sayIfCut(): Promise<void> {
  await terminal.flushed();
  const { isCut, unwritten } = terminal;
  const isLost = isCut && hasBegun();
  if (!isLost && unwritten === undefined) return;
  const why =
    unwritten === undefined
      ? 'whoever read standard output was gone, and the report is lost'
      : `standard output could not be written (${unwritten}), and what lacks there is lost`;
  const meaning = isLost ? `: ${meaningOf(process.exitCode)}` : '';
  terminal.note(`keyturn: ${why}${meaning}`);
  if (unwritten !== undefined) process.exitCode ||= EXIT.failed;
  await terminal.flushed();
}
