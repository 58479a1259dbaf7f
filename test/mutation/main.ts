/**
 * Changes the code in one place after the other, and asks the tests whether they miss what was there. Hours for all groups, so a
 * sample can be drawn. Words are left as they are: tests of sentences hold them.
 *
 *     npm run mutation
 *     npm run mutation -- rotation-plan reaping-plan
 *     npm run mutation -- --sample 100 rotation-steps
 *     npm run mutation -- --near tokens        without the slow tests: at least so many fail one
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GROUPS, type Group } from './groups.ts';

interface Place {
  readonly line: number;
  readonly column: number;
}

interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: Place; readonly end: Place };
  readonly status:
    | 'Killed'
    | 'Timeout'
    | 'Survived'
    | 'NoCoverage'
    | 'RuntimeError'
    | 'CompileError'
    | 'Ignored';
}

interface Found extends Mutant {
  readonly file: string;
  readonly text: string;
}

interface Report {
  readonly files: Readonly<
    Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>
  >;
}

/** Stryker's packages are only here: most of them want a newer Node than `npm ci` may run on. Vitest is the checkout's. */
const HERE = import.meta.dirname;
const STRYKER = join(HERE, 'node_modules/@stryker-mutator/core/bin/stryker.js');

function install(): void {
  if (existsSync(STRYKER)) return;
  const { status } = spawnSync('npm', ['ci'], {
    cwd: HERE,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error(`npm ci in ${HERE} ended with ${status}`);
}

/** Mutants of these places, as some tests judge them. Places: files, or `file:line:column-line:column`. */
function judge(mutate: readonly string[], tests: readonly string[]): Found[] {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-mutation-'));
  const jsonReporter = { fileName: join(folder, 'report.json') };
  const config = {
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    mutate,
    mutator: { excludedMutations: ['StringLiteral'] },
    // TypeScript 7 has no interface that Stryker could read it by; nothing is compiled here.
    tsconfigFile: 'none.json',
    ignorePatterns: ['cdk.out', '.cdkhome', '.venv'],
    tempDirName: join(folder, 'copies'),
    reporters: ['json', 'progress-append-only'],
    jsonReporter,
    thresholds: { break: null },
    // On a machine that others use too, tests take longer than when they were timed: no mutant may be called dead by that.
    timeoutFactor: 4,
    dryRunTimeoutMinutes: 15,
    concurrency: Number(process.env.MUTATION_THREADS ?? 2),
  };
  const file = join(folder, 'stryker.config.json');
  writeFileSync(file, JSON.stringify(config));
  const { status } = spawnSync(process.execPath, [STRYKER, 'run', file], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, MUTATION_TESTS: JSON.stringify(tests) },
  });
  if (status !== 0) throw new Error(`Stryker ended with ${status}`);
  const { files }: Report = JSON.parse(readFileSync(jsonReporter.fileName, 'utf8'));
  rmSync(folder, { recursive: true, force: true });
  return Object.entries(files).flatMap(([path, { source, mutants }]) =>
    mutants.map((mutant) => ({ ...mutant, file: path, text: textAt(source, mutant) })),
  );
}

function textAt(source: string, { location: { start, end } }: Mutant): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  lines[last] = lines[last]?.slice(0, end.column - 1) ?? '';
  lines[0] = lines[0]?.slice(start.column - 1) ?? '';
  return lines.join(' ').replace(/\s+/g, ' ');
}

const placeOf = ({ file, location: { start, end } }: Found) =>
  `${file}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`;
const keyOf = (found: Found) => `${placeOf(found)} ${found.mutatorName} ${found.replacement}`;

const isAlive = ({ status }: Found) => status === 'Survived' || status === 'NoCoverage';
const isJudged = (found: Found) =>
  isAlive(found) || found.status === 'Killed' || found.status === 'Timeout';

/** So many lines of the files, the same ones for the same code. */
function sampled(patterns: readonly string[], lines: number): string[] {
  const all = patterns
    .flatMap((pattern) => globSync(pattern))
    .flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((text, index) =>
          /^\s*(?:\/?\*|\/\/|import\b|$)/.test(text) ? [] : [`${file}:${index + 1}-${index + 1}`],
        ),
    );
  const rank = (place: string) => createHash('sha256').update(place).digest('hex');
  return all.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, lines);
}

function show({ file, location, text, replacement, status }: Found): void {
  const mutant = `${text.slice(0, 80)} -> ${replacement?.replace(/\s+/g, ' ').slice(0, 80)}`;
  console.log(`  ${file}:${location.start.line}:${location.start.column} ${status}: ${mutant}`);
}

/** Judged by the near tests, and what lives on by the far ones. */
function judgeGroup({ mutate, near, far }: Group, sample: number | undefined, nearOnly: boolean) {
  const places = sample === undefined ? mutate : sampled(mutate, sample);
  const first = judge(places, near).filter(isJudged);
  const alive = first.filter(isAlive);
  if (!nearOnly) {
    console.log(`${alive.length} of ${first.length} mutants fail none of the near tests:`);
    alive.forEach(show);
  }
  if (alive.length === 0 || nearOnly) return { all: first.length, survivors: alive };
  const second = new Map(
    judge([...new Set(alive.map(placeOf))], far).map((each) => [keyOf(each), each]),
  );
  const survivors = alive.filter((each) => isAlive(second.get(keyOf(each)) ?? each));
  return { all: first.length, survivors };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sample: { type: 'string' }, near: { type: 'boolean', default: false } },
});
const sample = values.sample === undefined ? undefined : Number(values.sample);
const unknown = positionals.filter((each) => !GROUPS.some(({ name }) => name === each));
if (unknown.length > 0 || Number.isNaN(sample)) {
  const known = GROUPS.map(({ name }) => name).join(', ');
  console.error(
    `found ${process.argv.slice(2).join(' ')}, expected --sample LINES, --near and some of ${known}`,
  );
  process.exit(2);
}
install();
for (const group of GROUPS) {
  if (positionals.length > 0 && !positionals.includes(group.name)) continue;
  const began = performance.now();
  const { all, survivors } = judgeGroup(group, sample, values.near);
  survivors.forEach(show);
  const killed = all - survivors.length;
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(
    `${group.name}: ${killed} of ${all} mutants fail a test (${((100 * killed) / all).toFixed(1)} %), ${seconds} s`,
  );
}
