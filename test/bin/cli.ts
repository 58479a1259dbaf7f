import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Only a slow machine is told that it waits. */
const WAITING = /^ +waiting for .*: \d+ s\n/gm;

/** Half of what most commands take is to strip and to compile what the one before has compiled. */
const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/compiled');

type Environment = Readonly<Record<string, string>>;

/** The command line in a process of its own, away from this one's environment. */
export const start = (words: readonly string[], env: Environment) =>
  spawn(process.execPath, ['bin/keyturn.cjs', ...words], {
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: COMPILED, ...env },
  });

export async function endOf(child: ChildProcessWithoutNullStreams, stdin = ''): Promise<Ended> {
  child.stdin.end(stdin);
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await closed;
  return { code, stdout, stderr };
}

/** Runs the command line as people do. */
export async function keyturn(
  args: readonly string[],
  { stdin = '', env = {} }: Surroundings = {},
): Promise<Ended> {
  const child = start(args, { KEYTURN_POLICY: 'keyturn.example.yaml', ...env });
  const { code, stdout, stderr } = await endOf(child, stdin);
  return { code, stdout, stderr: stderr.replace(WAITING, '') };
}

/** Vitest's `onTestFinished`, or `afterAll`. */
export type AtEnd = (close: () => void | Promise<void>) => void;

/** A folder that goes with the test. */
export function temporaryFolder(atEnd: AtEnd = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-cli-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file of its own folder; YAML is a superset of JSON. */
export function writeTemporary(name: string, content: string | object, atEnd?: AtEnd): string {
  const file = join(temporaryFolder(atEnd), name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}
