#!/usr/bin/env node
import './node-24.js';
import { explain, kindOf, sentenceOf } from './keyturn/failure.ts';
import { refuseCredentials } from './keyturn/misplaced.ts';
import { settleHome } from './keyturn/operator.ts';
import { runProgram } from './keyturn/program.ts';
import { createTerminal } from './keyturn/terminal.ts';

const terminal = createTerminal();
try {
  settleHome();
  refuseCredentials(process.argv.slice(2));
  await runProgram(terminal);
} catch (error) {
  process.exitCode = explain(error, terminal.note);
  // Whoever reads standard output as JSON finds the error there, unless a report says more.
  if (process.argv.includes('--json') && !terminal.hasPrinted) {
    terminal.printJson({ error: { kind: kindOf(error), message: sentenceOf(error) } });
  }
  await terminal.flushed();
  process.exit(); // a run whose end nobody waits for would keep the process
}
