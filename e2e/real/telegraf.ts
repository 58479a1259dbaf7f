import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startServer } from '../processes.ts';

const EXAMPLE = resolve(import.meta.dirname, '../../examples/telegraf');
/** The file that the example's configuration asks for. */
const FILE = 'telegraf';

/**
 * The example's configuration, ten times as fast, and in another place.
 * @throws Error if the example has not exactly one of what is put in another place
 */
export function configOf(secrets: string, url: string, database: string): string {
  const replaced = [
    ['path = "/run/keyturn"', `path = "${secrets}"`],
    ['urls = ["https://influxdb.example.com"]', `urls = ["${url}"]`],
    ['bucket = "telemetry"', `bucket = "${database}"`],
    ['  interval = "10s"', '  interval = "1s"\n  precision = "1ms"\n  omit_hostname = true'],
    ['flush_interval = "10s"', 'flush_interval = "1s"'],
  ] as const;
  return replaced.reduce(
    (text, [from, to]) => {
      const [before = '', after, ...more] = text.split(from);
      if (after === undefined || more.length > 0) {
        throw new Error(`expected ${from} once in ${EXAMPLE}/telegraf.conf`);
      }
      return `${before}${to}${after}`;
    },
    readFileSync(join(EXAMPLE, 'telegraf.conf'), 'utf8'),
  );
}

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
  writeFileSync(configFile, configOf(secrets, url, database));
  let end = () => Promise.resolve();
  return {
    hold(token) {
      const next = join(folder, 'next');
      writeFileSync(next, token, { mode: 0o600 });
      renameSync(next, join(secrets, FILE));
    },
    start() {
      ({ end } = startServer(program, ['--config', configFile], { logFile }));
    },
    end: () => end(),
    log: () => readFileSync(logFile, 'utf8'),
  };
}
