#!/usr/bin/env node
import './node-24.js';
import { explain, kindOf, sentenceOf } from './keyturn/failure.ts';
import { refuseCredentials } from './keyturn/misplaced.ts';
import { createProgram } from './keyturn/program.ts';
import { createTerminal } from './keyturn/terminal.ts';

const terminal = createTerminal();
try {
  refuseCredentials(process.argv.slice(2));
  await createProgram(terminal).parseAsync();
} catch (error) {
  process.exitCode = explain(error, terminal.note);
  // Whoever reads standard output as JSON finds the error there, unless a report says more.
  if (process.argv.includes('--json') && !terminal.hasPrinted) {
    terminal.printJson({ error: { kind: kindOf(error), message: sentenceOf(error) } });
  }
}
