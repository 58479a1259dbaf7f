import { constants } from 'node:buffer';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { redact } from '../../functions/credentials.ts';
import { awsCredentialsIn } from '../../functions/environment.ts';
import { createHeldCredentials } from '../../functions/held-credentials.ts';
import { redacted } from '../../functions/redacted.ts';
import { harmless, withEscapes } from '../harmless.ts';
import { CommandError, EXIT } from './failure.ts';

/** Colours only on a terminal: not in a file or a pipe, and not if NO_COLOR is set. */
export interface Style {
  (format: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string): string;
  /** Characters of a line of the terminal; undefined where there is none. */
  readonly columns?: () => number | undefined;
}

export interface Terminal {
  /** Results, to standard output. */
  print(text: string): void;
  printJson(value: unknown): void;
  /** Progress and questions, to standard error. */
  note(text: string): void;
  /** A text without credentials, as all is that is printed. */
  readonly clean: (text: string) => string;
  readonly style: Style;
  readonly noteStyle: Style;
  /** Standard error is a terminal, which a person may look at. */
  readonly isWatched: boolean;
  /** A person is there and can answer. */
  readonly interactive: boolean;
  /** Empties the screen, if standard output is one. */
  clear(): void;
  /** Whether anything was written to standard output. */
  readonly hasPrinted: boolean;
  /** Whoever read standard output is gone (`| head`): what is printed is lost, and what is done goes on. */
  readonly isCut: boolean;
  /** Why standard output could not be written, where nobody closed it: a full disk. Absent: it could, as far as is known. */
  readonly unwritten?: string | undefined;
  /** When everything that was printed is out. */
  flushed(): Promise<void>;
  /** @throws CommandError if the answer is Ctrl-C or the end of the input */
  ask(question: string): Promise<string>;
  /** All of standard input; on a terminal what is pasted up to Enter, with all its lines, which is not shown. */
  readHidden(question: string): Promise<string>;
}

const QUIET_MS = 150;

const ESCAPE = String.fromCharCode(27);
/** Erases the screen and what was scrolled out of it, and begins at its top (ECMA-48: ED, CUP; xterm for the second one). */
const CLEAR = `${ESCAPE}[2J${ESCAPE}[3J${ESCAPE}[H`;

/** The other lines of what was pasted come at once; left alone, a shell would get them. */
async function untilQuiet(lines: readonly string[]): Promise<void> {
  for (let seen = -1; seen < lines.length; ) {
    seen = lines.length;
    await sleep(QUIET_MS);
  }
}

interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** How the first bytes of what is compressed look: gzip, zip, bzip2, xz, Zstandard. */
const COMPRESSED = ['1f8b', '504b0304', '425a68', 'fd377a585a', '28b52ffd'];

/** @throws CommandError if there is more than a string can have, or no text */
async function readAll(stdin: NodeJS.ReadStream, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    size += chunk.length;
    if (size > most) {
      throw new CommandError(
        `found more than ${Math.floor(most / 2 ** 20)} MB on standard input, expected less; give a part of it, such as the lines with the string. Nothing was done`,
      );
    }
    chunks.push(Buffer.from(chunk));
  }
  const all = Buffer.concat(chunks);
  const start = all.subarray(0, 8).toString('hex');
  if (!COMPRESSED.some((each) => start.startsWith(each))) return all.toString();
  throw new CommandError(
    'found something compressed on standard input, expected text; decompress it first, such as by gunzip -c. Nothing was done',
  );
}

export function createTerminal(
  { stdin, stdout, stderr }: Streams = process,
  mostBytes = constants.MAX_STRING_LENGTH,
): Terminal {
  let isCut = false;
  let unwritten: string | undefined;
  stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    isCut = true;
    if (code !== 'EPIPE') unwritten ??= message;
  });
  stderr.on('error', () => {});

  const held = createHeldCredentials();
  for (const credential of awsCredentialsIn(process.env)) held.hold(credential);
  const clean = (text: string) => held.redact(redact(text));

  const styleFor = (stream: NodeJS.WriteStream): Style => {
    const style: Style = (format, shown) => styleText(format, shown, { stream });
    // Asked each time: people resize windows. Some terminals say 0.
    return Object.assign(style, { columns: () => stream.columns || undefined });
  };

  const shownOn = (stream: NodeJS.WriteStream, text: string) =>
    harmless(clean(text), { isStyled: styleText('bold', '-', { stream }) !== '-' });

  const readLine = async (
    question: string,
    echo: NodeJS.WritableStream,
    isPasted = false,
  ): Promise<string> => {
    const lines = createInterface({ input: stdin, output: echo, terminal: true });
    const more: string[] = [];
    lines.on('line', (line) => more.push(line));
    // Ctrl-C rejects the question; Ctrl-D only closes the input.
    const closed = new Promise<undefined>((resolve) =>
      lines.once('close', () => resolve(undefined)),
    );
    const answer = await Promise.race([lines.question(question).catch(() => undefined), closed]);
    if (isPasted && answer !== undefined) await untilQuiet(more);
    const rest = isPasted ? [...more, lines.line] : [];
    lines.close();
    if (answer !== undefined) return [answer, ...rest].join('\n');
    stderr.write('\n');
    throw new CommandError('cancelled; nothing was done', { exitCode: EXIT.cancelled });
  };

  let hasPrinted = false;
  const print = (line: string) => {
    hasPrinted = true;
    stdout.write(`${line}\n`);
  };
  return {
    print: (line) => print(shownOn(stdout, line)),
    clean,
    clear() {
      if (stdout.isTTY) stdout.write(CLEAR);
    },
    printJson: (value) => print(withEscapes(JSON.stringify(redacted(value, clean), null, 2))),
    get hasPrinted() {
      return hasPrinted;
    },
    get isCut() {
      return isCut;
    },
    get unwritten() {
      return unwritten;
    },
    note: (line) => stderr.write(`${shownOn(stderr, line)}\n`),
    async flushed() {
      for (const stream of [stdout, stderr]) {
        await new Promise<void>((resolve) => stream.write('', () => resolve()));
      }
    },
    style: styleFor(stdout),
    noteStyle: styleFor(stderr),
    get isWatched() {
      return stderr.isTTY === true;
    },
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    ask: (question) => readLine(question, stderr),
    async readHidden(question) {
      if (!stdin.isTTY) return readAll(stdin, mostBytes);
      stderr.write(question);
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      const line = await readLine('', nowhere, true);
      stderr.write('\n');
      return line;
    },
  };
}
