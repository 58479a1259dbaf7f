import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { temporaryFolder } from '../bin/cli.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const PAGE = join(REPOSITORY, 'docs/tutorial.md');

/** What a reader starts in a terminal of its own, and what it prints when it is ready. */
const LONG_RUNNING: readonly [RegExp, RegExp][] = [
  [/ sandbox -- /, /"awsEndpointUrl"/],
  [/examples\/application/, /^/],
];

const running: ChildProcess[] = [];
afterEach(() => {
  for (const { pid } of running.splice(0)) if (pid !== undefined) process.kill(-pid);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/** A folder that has what a clone has, in which a reader may save files. */
function cloneOf(repository: string): string {
  const folder = join(temporaryFolder(), 'keyturn');
  mkdirSync(folder);
  for (const name of readdirSync(repository)) {
    if (name !== '.git') symlinkSync(join(repository, name), join(folder, name));
  }
  return folder;
}

interface Started {
  readonly process: ChildProcess;
  readonly printed: () => string;
}

function start(command: string, cwd: string, env: NodeJS.ProcessEnv): Started {
  const child = spawn('bash', ['-c', command], {
    ...{ cwd, env, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return { process: child, printed: () => text };
}

/** A rotation marks what it replaces right before its promotion: in the same second as that, or in the one before. */
const SUPERSEDED_FIRST =
  /((?:INSTANT {2}\S+ ID: superseded\nKeyturn \[cluster\]\n)+)(INSTANT {2}\S+ ID: promoted\n(?:(?!INSTANT).+\n)+)/g;

/** What is another one each time: ids, strings, instants, and for how long something was waited. */
const steady = (text: string) =>
  text
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'ID')
    .replaceAll(/\b[0-9a-f]{8}\b/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z/g, 'INSTANT')
    .replaceAll(/\b\d+(\.\d+)?(d|h|m|s)(\d+(h|m|s))?\b|\b\d+(\.\d+)? s\b/g, 'TIME')
    .replaceAll(/ *\n( +)?/g, '\n')
    .replaceAll(SUPERSEDED_FIRST, '$2$1');

/** As the page shows what a command said. That the work continues is said by the machine's clock. */
function linesOf(said: string): readonly string[] {
  const lines = said
    .replaceAll(/"managementToken":".*?"/g, '"managementToken":"…"')
    .replaceAll(/^ *waiting for .*\n/gm, '')
    .trimEnd();
  return lines === '' ? [] : lines.replace(/^(?=.)/gm, '    ').split('\n');
}

/** The page, with what its commands said. */
async function liveThrough(page: string): Promise<string> {
  const folder = cloneOf(REPOSITORY);
  const ports = { 8181: await freePort(), 4566: await freePort() };
  const here = (text: string) =>
    text.replaceAll(/\b(8181|4566)\b/g, (port) => `${ports[port as '8181']}`);
  const there = (text: string) =>
    Object.entries(ports).reduce(
      (said, [written, port]) => said.replaceAll(`${port}`, written),
      text,
    );
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1' };
  const silent: Started[] = [];

  async function run(command: string): Promise<string> {
    if (command.startsWith('export ')) {
      for (const each of command.split(' ').slice(1)) {
        const [name = '', value] = each.split(/=(.*)/);
        env[name] = value;
      }
      return '';
    }
    const started = start(command, folder, env);
    const ready = LONG_RUNNING.find(([what]) => what.test(command))?.[1];
    if (ready) {
      running.push(started.process);
      await expect.poll(started.printed, { timeout: 30_000 }).toMatch(ready);
      if (started.printed() === '') silent.push(started);
      return started.printed();
    }
    const code = await new Promise<number | null>((done) => started.process.once('close', done));
    return `${started.printed()}${code === 0 ? '' : `\n(exit code ${code})\n`}`;
  }

  const [, name = '', file = ''] = /Save this as `(.*?)`.*?```yaml\n(.*?)```/s.exec(page) ?? [];
  writeFileSync(join(folder, name), here(file));

  const lines: string[] = [];
  let said: readonly string[] | undefined;
  for (const line of page.split('\n')) {
    const command = /^ {4}\$ (.*)$/.exec(line)?.[1];
    const isFormerOutput = said !== undefined && /^( {4}.*)?$/.test(line);
    if (command === undefined && isFormerOutput) continue;
    if (said !== undefined && (command === undefined || said.length > 0)) lines.push('');
    lines.push(line);
    said = command === undefined ? undefined : linesOf(there(await run(here(command))));
    lines.push(...(said ?? []));
  }
  for (const { printed } of silent) expect(printed()).toBe('');
  return lines.join('\n');
}

it('goes as the page says', { timeout: 300_000 }, async () => {
  const page = readFileSync(PAGE, 'utf8');
  const lived = await liveThrough(page);
  await expect(steady(lived) === steady(page) ? page : lived).toMatchFileSnapshot(PAGE);
});
