import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run } from '../processes.ts';
import { type Report, StepError } from '../report.ts';

const INFLUXD = '1.13.2';
const TELEGRAF = '1.34.4';
/** Enough to measure itself, and to write with a token that it re-reads from a directory. */
const PLUGINS = 'custom,inputs.internal,outputs.influxdb_v2,secretstores.docker';

export interface Programs {
  readonly influxd: string;
  readonly telegraf: string;
}

/** This machine has no compiler for what must be built, or could not build it: perhaps it reaches no registry. */
export class ProgramsMissing extends Error {
  override readonly name = 'ProgramsMissing';
}

const NEEDED = [
  ['go', 'version', 'Go (https://go.dev/doc/install)'],
  ['cargo', '--version', 'Rust (https://rustup.rs)'],
  ['cc', '--version', 'a C compiler (Debian: apt-get install gcc libc6-dev)'],
] as const;

/** Also where the installers of Go and Rust put them: not every PATH has these. */
const PATH = [process.env.PATH, '/usr/local/go/bin', join(homedir(), '.cargo/bin')].join(delimiter);

const has = (command: string, argument: string) =>
  run(command, [argument], { env: { ...process.env, PATH } }).then(
    () => true,
    () => false,
  );

async function requireCompilers(): Promise<void> {
  const found = await Promise.all(NEEDED.map(([command, argument]) => has(command, argument)));
  const missing = NEEDED.filter((_, index) => !found[index]).map(([, , what]) => what);
  if (missing.length > 0)
    throw new ProgramsMissing(
      `this machine lacks ${missing.join(' and ')}, to build influxd and telegraf`,
    );
}

async function build(cache: string, { influxd, telegraf }: Programs, report: Report) {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'building-'));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.on('exit', remove);
  const bin = join(folder, 'bin');
  const env = {
    ...process.env,
    PATH: [bin, PATH].join(delimiter),
    GOPATH: join(folder, 'go'),
    GOBIN: bin,
    // Otherwise the folder could not be removed.
    GOFLAGS: `${process.env.GOFLAGS ?? ''} -modcacherw`,
    PKG_CONFIG: join(bin, 'pkg-config'),
    // The library that influxd links asks for an older Rust, which may not be installed.
    ...((await has('rustup', '--version')) && { RUSTUP_TOOLCHAIN: 'stable' }),
  };
  const install = (...args: readonly string[]) => run('go', ['install', ...args], { env });
  try {
    await report.step('go install pkg-config, which builds what influxd links in Rust', () =>
      install('github.com/influxdata/pkg-config@v0.3.0'),
    );
    await report.step(`go install influxd ${INFLUXD}`, () =>
      install(`github.com/influxdata/influxdb/cmd/influxd@v${INFLUXD}`),
    );
    await report.step(`go install telegraf ${TELEGRAF}`, () =>
      install('-tags', PLUGINS, `github.com/influxdata/telegraf/cmd/telegraf@v${TELEGRAF}`),
    );
    renameSync(join(bin, 'influxd'), influxd);
    renameSync(join(bin, 'telegraf'), telegraf);
  } finally {
    remove();
  }
}

/**
 * InfluxDB 1 and Telegraf, which are built only once.
 * @throws ProgramsMissing
 */
export async function obtainPrograms(report: Report): Promise<Programs> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'keyturn');
  const programs = {
    influxd: join(cache, `influxd-${INFLUXD}`),
    telegraf: join(cache, `telegraf-${TELEGRAF}`),
  };
  if (Object.values(programs).every(existsSync)) {
    report.note(`influxd ${INFLUXD} and telegraf ${TELEGRAF} are in ${cache}`);
    return programs;
  }
  await requireCompilers();
  report.note(`influxd and telegraf are built into ${cache}: about six minutes on two cores, once`);
  try {
    await build(cache, programs, report);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    throw new ProgramsMissing(`"${error.message}" failed`, { cause: error });
  }
  return programs;
}
