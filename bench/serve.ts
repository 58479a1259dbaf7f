import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../lib/bundle.ts';
import { makeCertificate } from './certificate.ts';
import type { Orders } from './servers.ts';

type Asked<Order extends keyof Orders> = (
  ...given: Parameters<Orders[Order]>
) => Promise<ReturnType<Orders[Order]>>;

/** Another process, which carries out one order after the other. */
const asking = (child: ChildProcess) => (message: object) =>
  new Promise<unknown>((resolve, reject) => {
    const onExit = (code: number | null) =>
      reject(new Error(`a process of the benchmark ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', ({ answer, error }: { answer?: unknown; error?: string }) => {
      child.off('exit', onExit);
      if (error === undefined) resolve(answer);
      else reject(new Error(error));
    });
    child.send(message);
  });

/** What an invocation took of the process that carried it out. */
export interface Taken {
  readonly cpuMs: number;
  readonly wallMs: number;
  /** CPU until a run says what it will do. */
  readonly plannedMs?: number;
  /** The most memory that the process ever had. */
  readonly peakMb: number;
  /** Of the answer: how many actions were planned, how many entries it has, and how often each result is in it. */
  readonly results: Readonly<Record<string, number>>;
}

const SERVERS = new URL('./servers.ts', import.meta.url);
const FUNCTION = new URL('./invoke.cjs', import.meta.url);
export const FLOOR = new URL('./floor.cjs', import.meta.url);
export const CLIENTS = new URL('./clients.cjs', import.meta.url);

/** Where a function spends its time, as `npm run bench -- --profile FOLDER` asks for it. */
function profiling(file: URL): string[] {
  const { BENCH_PROFILE: folder } = process.env;
  return folder && file === FUNCTION ? ['--cpu-prof', `--cpu-prof-dir=${folder}`] : [];
}

/** The embedded cluster and its AWS in another process, over TLS unless `isPlain`, and processes that ask them. */
export async function startServers({ isPlain = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-bench-'));
  const { cert, key } = makeCertificate();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, cert);
  const trusting = { NODE_EXTRA_CA_CERTS: caFile };
  const children: ChildProcess[] = [];
  const begin = (file: URL, env: NodeJS.ProcessEnv) => {
    const child = fork(fileURLToPath(file), [], {
      env,
      execArgv: ['--disable-warning=ExperimentalWarning', ...profiling(file)],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
    return child;
  };
  const server = begin(SERVERS, isPlain ? {} : { ...trusting, BENCH_CERT: cert, BENCH_KEY: key });
  await once(server, 'message');
  const ask = asking(server);
  const order =
    <Order extends keyof Orders>(name: Order): Asked<Order> =>
    (...given) =>
      ask({ order: name, given }) as Promise<ReturnType<Orders[Order]>>;
  const { cluster, aws, region, credentials } = await order('start')();

  return {
    urls: { cluster, aws },
    seed: order('seed'),
    list: order('list'),
    set: order('set'),
    recorded: order('recorded'),
    replay: order('replay'),
    counted: order('counted'),
    /** The asset of a function with this policy, and the environment that its process has. */
    deploy(name: string, document: object) {
      const root = mkdtempSync(join(folder, 'task-'));
      bundle(name, { document, ...(!isPlain && { ca: cert }) }, root);
      const environment = {
        ...trusting,
        ...credentials,
        AWS_REGION: region,
        AWS_ENDPOINT_URL: aws,
        AWS_LAMBDA_FUNCTION_NAME: name,
        LAMBDA_TASK_ROOT: root,
      };
      return { file: join(root, 'index.js'), environment };
    },
    /** A warm process of a program that takes one order after the other: of a function by default. */
    run(environment: NodeJS.ProcessEnv, file = FUNCTION) {
      const child = begin(file, environment);
      const askChild = asking(child);
      return {
        take: (given: object) => askChild(given) as Promise<Taken>,
        end: () => child.disconnect(),
      };
    },
    async close() {
      for (const child of children) {
        if (child.connected) child.disconnect();
        if (child.exitCode === null) await once(child, 'exit');
      }
      rmSync(folder, { recursive: true });
    },
  };
}

export type Servers = Awaited<ReturnType<typeof startServers>>;
