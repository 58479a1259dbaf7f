import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';

export interface ProcessOptions {
  readonly cwd?: string;
  /** Instead of the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Exit codes that are no failure; 0 alone by default. */
  readonly codes?: readonly number[];
}

/** Each process leads a group, so that its children end with it. */
const groups = new Set<number>();

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, name);
  } catch {
    // The process has ended by itself.
  }
}

function endGroup(pid: number): void {
  groups.delete(pid);
  signal(pid, 'SIGKILL');
}

// However this process ends, also by a signal, its children end with it.
process.on('exit', () => {
  for (const pid of groups) endGroup(pid);
});

function remember(child: ChildProcess): void {
  if (child.pid !== undefined) groups.add(child.pid);
}

/** A port of the loopback address that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Server {
  /** Kills it and its children. */
  stop(): void;
  /** Asks it to end, and waits until it has. */
  end(): Promise<void>;
}

/** Starts a server whose output goes to a file. */
export function startServer(
  command: string,
  args: readonly string[],
  { logFile, ...options }: ProcessOptions & { readonly logFile: string },
): Server {
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  remember(child);
  child.on('error', () => undefined); // who waits for the server reports that it does not answer
  const ended = once(child, 'close').catch(() => undefined);
  const { pid } = child;
  return {
    stop() {
      if (pid !== undefined) endGroup(pid);
    },
    async end() {
      if (pid !== undefined) signal(pid, 'SIGTERM');
      await ended;
    },
  };
}

/**
 * Runs a program to its end.
 * @returns its stdout
 * @throws Error with the last lines of its output
 */
export function run(
  command: string,
  args: readonly string[],
  { codes = [0], ...options }: ProcessOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...options,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    remember(child);
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (child.pid !== undefined) groups.delete(child.pid);
      if (code !== null && codes.includes(code)) return resolve(stdout);
      const shown = [command, ...args].join(' ').slice(0, 200);
      const tail = output.trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${shown} ended with ${code ?? signal}:\n${tail}`));
    });
  });
}
