import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** No browser is here, and none may be installed. */
export class ChromiumMissing extends Error {
  override readonly name = 'ChromiumMissing';
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const answers = (command: string) =>
  spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

const INSTALL = ['install', '-y', '--no-install-recommends', 'chromium'];

/** Debian's; only root may, and only where there is apt. */
function install(): void {
  const apt = (words: readonly string[]) =>
    spawnSync('apt-get', [...words, '-qq'], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  // The lists of a fresh machine are empty, or old.
  if (!apt(INSTALL) && apt(['update'])) apt(INSTALL);
}

/**
 * The command of a Chromium: `CHROME_PATH`, or the one of the PATH, which root gets from Debian if it is missing.
 * @throws ChromiumMissing
 */
export function findChromium(): string {
  const { CHROME_PATH: named } = process.env;
  if (named) {
    if (answers(named)) return named;
    throw new ChromiumMissing(`CHROME_PATH is ${named}, which does not answer to --version`);
  }
  const found = () => NAMES.find(answers);
  const first = found();
  if (first !== undefined) return first;
  if (process.getuid?.() === 0 && answers('apt-get')) install();
  const now = found();
  if (now !== undefined) return now;
  throw new ChromiumMissing(
    `found none of ${NAMES.join(', ')}; as root: apt-get ${INSTALL.join(' ')}; or name one in CHROME_PATH`,
  );
}

type Params = Readonly<Record<string, unknown>>;
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

/** A page of the browser; the protocol is https://chromedevtools.github.io/devtools-protocol/ */
export interface Tab {
  send(method: string, params?: Params): Promise<Params>;
  /** All events of the page so far. */
  readonly events: readonly { readonly method: string; readonly params: Params }[];
  /** The next event of this name, also one that came since the last call. */
  next(method: string): Promise<Params>;
}

export interface Chromium {
  open(): Promise<Tab>;
  close(): Promise<void>;
}

const FLAGS = [
  ...['--headless', '--remote-debugging-pipe', '--disable-gpu', '--disable-dev-shm-usage'],
  ...['--no-first-run', '--disable-extensions', '--disable-background-networking'],
  // Fonts are drawn alike on every machine.
  ...[
    '--hide-scrollbars',
    '--disable-lcd-text',
    '--font-render-hinting=none',
    '--force-device-scale-factor=1',
  ],
  // Nothing leaves the machine, whatever a page asks for.
  '--host-resolver-rules=MAP * ~NOTFOUND',
];
const LONGEST_CALL_MS = 20_000;

class Connection {
  readonly #out: Writable;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #count = 0;

  constructor(out: Writable, input: Readable) {
    this.#out = out;
    let rest = '';
    input.setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const each of messages) this.#take(JSON.parse(each));
    });
  }

  #take(message: Message): void {
    if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    else for (const listener of this.#listeners) listener(message);
  }

  listen(listener: (message: Message) => void): void {
    this.#listeners.add(listener);
  }

  async send(method: string, params: Params = {}, sessionId?: string): Promise<Params> {
    this.#count += 1;
    const id = this.#count;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), LONGEST_CALL_MS);
    this.#waiting.set(id, resolve);
    this.#out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result = {}, error } = await promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }
}

async function openTab(connection: Connection): Promise<Tab> {
  const { targetId } = await connection.send('Target.createTarget', { url: 'about:blank' });
  const how = { targetId, flatten: true };
  const { sessionId } = await connection.send('Target.attachToTarget', how);
  const events: { readonly method: string; readonly params: Params }[] = [];
  const waiting = new Map<string, (params: Params) => void>();
  const untaken = new Map<string, Params>();
  connection.listen(({ method = '', params = {}, sessionId: of }) => {
    if (of !== sessionId) return;
    events.push({ method, params });
    const waiter = waiting.get(method);
    waiting.delete(method);
    if (waiter) waiter(params);
    else untaken.set(method, params);
  });
  return {
    events,
    send: (method, params) => connection.send(method, params, String(sessionId)),
    next(method) {
      const known = untaken.get(method);
      untaken.delete(method);
      if (known) return Promise.resolve(known);
      const { promise, resolve, reject } = Promise.withResolvers<Params>();
      const timer = setTimeout(() => reject(new Error(`no ${method}`)), LONGEST_CALL_MS);
      waiting.set(method, resolve);
      return promise.finally(() => clearTimeout(timer));
    },
  };
}

async function stop(child: ChildProcess, profile: string): Promise<void> {
  const closed = once(child, 'close');
  if (child.exitCode === null && child.signalCode === null) {
    child.kill();
    await closed;
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}

/** Starts it without a window, with a profile of its own, and speaks with it through a pipe. */
export function startChromium(command: string): Chromium {
  const profile = mkdtempSync(join(tmpdir(), 'keyturn-chromium-'));
  // Its sandbox does not work for root.
  const own = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const child = spawn(command, [...FLAGS, ...own, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const [, , , out, input] = child.stdio;
  const connection = new Connection(out as Writable, input as Readable);
  return { open: () => openTab(connection), close: () => stop(child, profile) };
}
