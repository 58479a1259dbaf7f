import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { freePort, startServer } from './processes.ts';
import { eventually } from './waiting.ts';

export interface MiniStack {
  readonly url: string;
  /** The output of MiniStack and the functions. */
  log(): string;
  stop(): void;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/_ministack/health`)).ok;
  } catch {
    return false;
  }
}

/**
 * Starts MiniStack on a loopback port. Its functions run on this process's Node.js, which
 * `npm ci` installed, and inherit `environment`.
 */
export async function startMiniStack(
  command: string,
  folder: string,
  region: string,
  environment: Readonly<Record<string, string>>,
): Promise<MiniStack> {
  const port = await freePort();
  const logFile = join(folder, 'ministack.log');
  const { stop } = startServer(command, [], {
    cwd: folder,
    logFile,
    env: {
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      HOME: folder,
      TMPDIR: folder,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_REGION: region,
      LAMBDA_EXECUTOR: 'local',
      SFTP_ENABLED: '0',
      IOT_MTLS_ENABLED: '0',
      // Otherwise it would look for Docker containers of earlier runs.
      DOCKER_HOST: `unix://${folder}/no-docker.sock`,
      ...environment,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const log = () => readFileSync(logFile, 'utf8');
  await eventually(
    30_000,
    () => answers(url),
    () => log().slice(-2_000),
  );
  return { url, log, stop };
}
