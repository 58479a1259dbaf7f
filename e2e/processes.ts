import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface ProcessOptions {
  readonly cwd?: string;
  /** Instead of the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Each process leads a group, so that its children end with it. */
const groups = new Set<number>();

function endGroup(pid: number): void {
  groups.delete(pid);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The process has ended by itself.
  }
}

// However this process ends, also by a signal, its children end with it.
process.on('exit', () => {
  for (const pid of groups) endGroup(pid);
});

function remember(child: ChildProcess): void {
  if (child.pid !== undefined) groups.add(child.pid);
}

/** Starts a server whose output goes to a file. Returns a function that ends it and its children. */
export function startServer(
  command: string,
  args: readonly string[],
  { logFile, ...options }: ProcessOptions & { readonly logFile: string },
): () => void {
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  remember(child);
  child.on('error', () => undefined); // who waits for the server reports that it does not answer
  return () => child.pid !== undefined && endGroup(child.pid);
}

/**
 * Runs a program to its end.
 * @returns its stdout
 * @throws Error with the last lines of its output
 */
export function run(
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
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
      if (code === 0) return resolve(stdout);
      const shown = [command, ...args].join(' ').slice(0, 200);
      const tail = output.trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${shown} ended with ${code ?? signal}:\n${tail}`));
    });
  });
}
