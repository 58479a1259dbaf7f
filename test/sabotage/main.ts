/**
 * Takes one rule after the other out of a copy of the checkout, and runs `npm test` there, which must fail; with `--soak` other
 * rules, which a life of `npm run soak` must miss within a hundred seeds.
 *
 *     npm run sabotage
 *     npm run sabotage -- "no probe"
 *     npm run sabotage -- --soak
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PLANTED, SABOTAGES, type Sabotage } from './sabotages.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Neither is read by a test. */
const HEAVY = /(?:^|\/)(?:cdk\.out|\.git)$/;

function copyOf(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'keyturn-sabotage-'));
  // Links of packages' programs stay within the copy.
  const filter = (from: string) => !HEAVY.test(from);
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true, filter });
  return copy;
}

/** @throws Error if the rule is not there once: then this list is older than the code */
function damaged(source: string, { name, file, rule, instead }: Sabotage): string {
  const places = source.split(rule).length - 1;
  if (places !== 1) {
    throw new Error(
      `test/sabotage/sabotages.ts: ${name}: found ${places} places of its rule in ${file}, expected one`,
    );
  }
  return source.replace(rule, () => instead);
}

/** The first test that fails, among those of some files or all; undefined: none does. */
function firstFailure(root: string, ...files: readonly string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync('npm', ['test', '--', '--bail', '1', ...files], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, NO_COLOR: '1' },
  });
  if (status === 0) return undefined;
  return (
    /^\s*FAIL\s+(.*)$/m.exec(stderr + stdout)?.[1] ??
    `npm test ended with ${status}: ${stderr.slice(-500)}`
  );
}

/**
 * Returns whether a test misses the rule. One that fails now and then shows nothing: its file alone must fail without the rule,
 * and pass with it.
 */
function isCaught(sabotage: Sabotage, copy: string): boolean {
  const path = join(copy, sabotage.file);
  const source = readFileSync(path, 'utf8');
  const began = performance.now();
  writeFileSync(path, damaged(source, sabotage));
  const failure = firstFailure(copy);
  const [file = ''] = /\btest\/\S+\.test\.ts\b/.exec(failure ?? '') ?? [];
  const failsAgain = failure !== undefined && firstFailure(copy, file) !== undefined;
  writeFileSync(path, source);
  const isShown = failsAgain && firstFailure(copy, file) === undefined;
  const seconds = Math.round((performance.now() - began) / 1_000);
  const said = isShown ? 'caught by' : 'NOT SHOWN:';
  console.log(`${sabotage.name}: ${said} ${failure ?? 'no test fails'} (${seconds} s)`);
  return isShown;
}

/** Whether one of a hundred lives breaks an invariant without the rule; with it, none does. Prints the life and what led to it. */
function isFound(sabotage: Sabotage, copy: string): boolean {
  const path = join(copy, sabotage.file);
  const source = readFileSync(path, 'utf8');
  const soak = (...flags: readonly string[]) =>
    spawnSync('npm', ['run', '--silent', 'soak', '--', ...flags], {
      cwd: copy,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
  writeFileSync(path, damaged(source, sabotage));
  const { stdout, stderr } = soak('--seeds', '100', '--first', '--shrink-seconds', '60');
  writeFileSync(path, source);
  const told = /^seed (\d+): .* [1-9]\d* violations.*\n(?: {2}.*\n)*/m.exec(stdout);
  const seed = told?.[1];
  const [ledToIt = ''] =
    new RegExp(`^seed ${seed}, shortened: .*\\n(?: {2}.*\\n)*`, 'm').exec(stdout) ?? [];
  const isShown = seed !== undefined && soak('--seed', seed, '--shrink-seconds', '0').status === 0;
  console.log(
    `${sabotage.name}: ${isShown ? 'found by' : 'NOT SHOWN:'} ${told ? told[0] + ledToIt : stderr}`,
  );
  return isShown;
}

const args = process.argv.slice(2);
const isSoak = args.includes('--soak');
const names = args.filter((each) => each !== '--soak');
const all = isSoak ? PLANTED : SABOTAGES;
const unknown = names.filter((name) => !all.some((each) => each.name === name));
if (unknown.length > 0) {
  console.error(`found ${unknown.join(', ')}, expected ${all.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const meant = all.filter(({ name }) => names.length === 0 || names.includes(name));
const copy = copyOf(ROOT);
try {
  const failure = isSoak ? undefined : firstFailure(copy);
  if (failure !== undefined) throw new Error(`npm test fails without a sabotage: ${failure}`);
  const caught = meant.filter((sabotage) => (isSoak ? isFound : isCaught)(sabotage, copy));
  const by = isSoak ? 'found by npm run soak' : 'caught by npm test';
  console.log(`${caught.length} of ${meant.length} sabotages are ${by}`);
  process.exitCode = caught.length === meant.length ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
