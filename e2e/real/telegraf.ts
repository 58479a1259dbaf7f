import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startServer } from '../processes.ts';

/** Without the trailing slash: Telegraf compares directories as text. */
const config = (secrets: string, url: string, database: string) => `
[agent]
  interval = "1s"
  flush_interval = "1s"
  precision = "1ms"
  omit_hostname = true
[[secretstores.docker]]
  id = "keyturn"
  path = "${secrets}"
  dynamic = true
[[inputs.internal]]
[[outputs.influxdb_v2]]
  urls = ["${url}"]
  token = "@{keyturn:token}"
  organization = ""
  bucket = "${database}"
`;

export interface Telegraf {
  /** Puts another token string into its directory, in one step, and without a newline. */
  hold(token: string): void;
  start(): void;
  /** It writes what it still holds, and ends. */
  end(): Promise<void>;
  log(): string;
}

/** Measures itself every second, and writes that with the token in its directory. */
export function prepareTelegraf(
  program: string,
  folder: string,
  url: string,
  database: string,
): Telegraf {
  const secrets = join(folder, 'secrets');
  mkdirSync(secrets, { recursive: true });
  const configFile = join(folder, 'telegraf.conf');
  const logFile = join(folder, 'log');
  writeFileSync(configFile, config(secrets, url, database));
  let end = () => Promise.resolve();
  return {
    hold(token) {
      const next = join(folder, 'next');
      writeFileSync(next, token, { mode: 0o600 });
      renameSync(next, join(secrets, 'token'));
    },
    start() {
      ({ end } = startServer(program, ['--config', configFile], { logFile }));
    },
    end: () => end(),
    log: () => readFileSync(logFile, 'utf8'),
  };
}
