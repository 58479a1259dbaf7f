import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { environmentOf, PERSON } from '../aws/account.ts';
import type { LambdaFunction } from '../lambda/functions.ts';
import type { Host } from '../lambda/host.ts';
import { serveLogs } from '../lambda/log-groups.ts';
import type { Sandbox } from '../sandbox.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');
const CLOCK = pathToFileURL(join(import.meta.dirname, 'stand-at.ts')).href;
/** As `keyturn --help` says: a page was written, whatever is on it. */
const WRITTEN = [0, 6, 7];

interface MonthPage {
  readonly sandbox: Sandbox;
  readonly host: Host;
  readonly functions: readonly LambdaFunction[];
  readonly policyFile: string;
  readonly startAt: number;
  /** The page to write. */
  readonly file: string;
}

/**
 * Has `keyturn report` write a page of what the month left, as a person would: in a process of its own, whose clock shows what the
 * sandbox's does.
 * @returns what the command says
 * @throws Error if it wrote none
 */
export async function writeMonthPage(month: MonthPage): Promise<string> {
  const { sandbox, host, functions, policyFile, startAt, file } = month;
  const { aws, clock } = sandbox;
  serveLogs(aws.logs, host, functions);
  const since = `${new Date(startAt).toISOString().slice(0, 19)}Z`;
  const words = ['report', '--local', '--policy', policyFile, '--html', file, '--since', since];
  const child = spawn(
    process.execPath,
    ['--import', CLOCK, join(REPOSITORY, 'bin/keyturn.cjs'), ...words],
    {
      env: {
        PATH: process.env.PATH,
        ...environmentOf(PERSON),
        AWS_REGION: aws.region,
        AWS_ENDPOINT_URL: aws.url,
        SANDBOX_NOW: new Date(clock.now()).toISOString(),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const closed = once(child, 'close');
  const [said, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await closed;
  if (WRITTEN.includes(code)) return said.trim();
  throw new Error(`keyturn report ended with ${code}: ${complaint}`);
}
