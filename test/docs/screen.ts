import type { Terminal } from '../../bin/keyturn/terminal.ts';
import { redact } from '../../functions/credentials.ts';

/** A terminal whose screen is kept, and somebody who pastes `stdin` and types the answers. */
export function openScreen(stdin: string, typed: readonly string[]) {
  const lines: string[] = [];
  const answers = [...typed];
  const write = (text: string) => {
    // That the work continues is said by the machine's clock.
    if (!/waiting for .*: \d+ s/.test(text)) lines.push(text);
  };
  const terminal: Terminal = {
    print: (text) => write(redact(text)),
    printJson: (value) => write(redact(JSON.stringify(value, undefined, 2))),
    note: (text) => write(redact(text)),
    clean: redact,
    hasPrinted: false,
    isCut: false,
    flushed: async () => {},
    style: (_format, text) => text,
    noteStyle: (_format, text) => text,
    clear: () => {},
    isWatched: false,
    interactive: answers.length > 0,
    ask: (question) => {
      const answer = answers.shift() ?? '';
      write(`${question}${answer}`);
      return Promise.resolve(answer);
    },
    readHidden: (question) => {
      if (answers.length > 0) write(question);
      return Promise.resolve(stdin);
    },
  };
  return { terminal, shown: () => lines.join('\n') };
}
