import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readProfile } from '../../sandbox/profile.ts';
import { drawPlan, type LifePlan } from './plan.ts';
import { openPool, type Told } from './pool.ts';
import { kindOf, shrink } from './shrink.ts';
import { tally, tokenYears } from './tally.ts';

/**
 * Lives lives that are drawn from seeds: `npm run soak -- --seed 1 --seeds 10`, or for some time, from seeds that change with the
 * date: `npm run soak -- --minutes 10`. The same seed has the same life, to the last call. A violation is shown with what led to
 * it, shortened, and with the command that lives it again. Exits with 1 if one of them broke an invariant, or none came to its end.
 */

const DAY_MS = 86_400_000;
/** Plans of lives that broke an invariant once. */
const EARLIER = join(import.meta.dirname, 'earlier');

// Nobody reads any more (`| head`), and to tell what was lived is all that it is for.
process.stdout.on('error', () => process.exit());
const print = (line: string) => process.stdout.write(`${line}\n`);

/** Flags of which a part means nothing. */
const WHOLE: readonly string[] = ['seed', 'seeds', 'tokens', 'threads'];

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

/** What cannot be read ends the process, and says why in a line. */
function attempted<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return refuse(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}

function readFlags() {
  const text = { type: 'string' } as const;
  const options = {
    seed: text,
    seeds: text,
    minutes: text,
    days: text,
    tokens: text,
    'fault-rate': text,
    threads: text,
    'shrink-seconds': text,
    plan: text,
    profile: text,
    bundles: { type: 'boolean', default: false },
    earlier: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  } as const;
  const { values } = attempted('npm run soak', () => parseArgs({ options }));
  const numberOf = (
    name: Exclude<
      keyof typeof options,
      'plan' | 'profile' | 'bundles' | 'earlier' | 'first' | 'verbose'
    >,
  ) => {
    const given = values[name];
    const number = Number(given);
    const isWhole = WHOLE.includes(name);
    const isFit = isWhole ? Number.isSafeInteger(number) : Number.isFinite(number);
    const isPositive = number > 0 || (number === 0 && name === 'shrink-seconds');
    if (given === undefined) return undefined;
    if (isFit && isPositive) return number;
    return refuse(
      `--${name}: found "${given}", expected a ${isWhole ? 'whole ' : ''}number above 0`,
    );
  };
  const minutes = numberOf('minutes');
  return {
    first: numberOf('seed') ?? (minutes === undefined ? 1 : datedSeed()),
    count: numberOf('seeds') ?? (minutes === undefined ? 1 : Number.POSITIVE_INFINITY),
    untilMs: minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60_000,
    asked: {
      days: numberOf('days'),
      tokens: numberOf('tokens'),
      faultRate: numberOf('fault-rate'),
    },
    threads: numberOf('threads') ?? availableParallelism(),
    shrinkMs: (numberOf('shrink-seconds') ?? 120) * 1_000,
    isOnBundles: values.bundles,
    isEarlier: values.earlier,
    endsAtFirst: values.first,
    file: values.plan,
    profile: values.profile === undefined ? {} : readProfile(values.profile),
    isVerbose: values.verbose,
  };
}

/** The first of a thousand seeds of today. */
const datedSeed = () => Number(new Date().toISOString().slice(0, 10).replaceAll('-', '')) * 1_000;

function readPlan(file: string): LifePlan {
  const plan = attempted(file, () => JSON.parse(readFileSync(file, 'utf8')));
  if (Array.isArray(plan?.troubles)) return plan;
  return refuse(`${file}: found no plan of a life, expected one as a violation is shown with`);
}

const flags = readFlags();
const began = performance.now();
const passedMs = () => performance.now() - began;

function* plans(): Generator<{ readonly name: string; readonly plan: LifePlan }> {
  if (flags.file !== undefined) {
    yield { name: flags.file, plan: readPlan(flags.file) };
  } else if (flags.isEarlier) {
    for (const file of readdirSync(EARLIER).sort())
      yield { name: file, plan: readPlan(join(EARLIER, file)) };
  } else {
    for (let seed = flags.first; seed < flags.first + flags.count; seed += 1) {
      const isEnough = flags.endsAtFirst && process.exitCode === 1;
      if (isEnough || passedMs() > flags.untilMs) return;
      yield { name: `seed ${seed}`, plan: { ...drawPlan(seed, flags.asked), ...flags.profile } };
    }
  }
}

const pool = openPool(flags.threads, flags.isOnBundles);
const lives: Told[] = [];

function report(name: string, plan: LifePlan, lived: Told, seconds: number): void {
  const { violations, runs, failedRuns, rotations, minted, calls, trace } = lived;
  print(
    `${name}: ${plan.tokens} tokens, ${Math.round(lived.lastedMs / DAY_MS)} days, ${plan.troubles.length} troubles: ` +
      `${runs} runs (${failedRuns} failed), ${rotations} rotations, ${minted} minted, ${calls} calls, ` +
      `${violations.length} violations, ${(tokenYears(lived) / seconds).toFixed(2)} token-years a second, trace ${trace}`,
  );
  for (const line of lived.told) print(`  ${line}`);
  for (const { at, text } of violations.slice(0, 5))
    print(`  ${new Date(at).toISOString()} ${text}`);
}

/** Shows the least that leads to a violation, and keeps its plan. */
async function explain(
  name: string,
  plan: LifePlan,
  { kind, endedMs }: { readonly kind: string; readonly endedMs: number },
): Promise<void> {
  const startedMs = passedMs();
  const isStill = async (fewer: LifePlan) => {
    const { violations } = await pool.live(fewer);
    return violations.some(({ text }) => kindOf(text) === kind);
  };
  const mayGoOn = () => passedMs() - startedMs < flags.shrinkMs;
  const shrunk = await shrink(plan, { isStill, mayGoOn, endedMs });
  const { lastCalls } = await pool.live(shrunk, true);
  // Other lives have been told meanwhile.
  print(
    `${name}, shortened: ${shrunk.troubles.length} of ${plan.troubles.length} troubles lead to "${kind}":`,
  );
  for (const trouble of shrunk.troubles) print(`    ${JSON.stringify(trouble)}`);
  print('  the last calls before that:');
  for (const call of lastCalls) print(`    ${call}`);
  const folder = join(tmpdir(), 'keyturn-soak');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `seed-${plan.seed}.json`);
  writeFileSync(file, `${JSON.stringify(shrunk, undefined, 2)}\n`);
  print(`  to live it again: npm run soak -- --verbose --plan ${file}`);
}

/** Who gave minutes has no more: what is not over by then is told, and left. */
const timeIsUp = new Promise<undefined>((resolve) => {
  if (Number.isFinite(flags.untilMs)) {
    setTimeout(() => resolve(undefined), Math.max(0, flags.untilMs - passedMs())).unref();
  }
});

async function liveOne(name: string, plan: LifePlan): Promise<void> {
  const startedMs = passedMs();
  try {
    const lived = await Promise.race([pool.live(plan, flags.isVerbose), timeIsUp]);
    if (!lived) {
      print(`${name}: it was not over when the time was`);
      return;
    }
    lives.push(lived);
    report(name, plan, lived, (passedMs() - startedMs) / 1_000);
    const [first] = lived.violations;
    if (!first) return;
    process.exitCode = 1;
    if (flags.shrinkMs > 0)
      await explain(name, plan, { kind: kindOf(first.text), endedMs: first.at - lived.startedAt });
  } catch (error) {
    process.exitCode = 1;
    print(`${name}: ${error instanceof Error ? error.message : error}`);
  }
}

const todo = plans();
await Promise.all(
  Array.from({ length: flags.threads }, async () => {
    for (const { name, plan } of todo) await liveOne(name, plan);
  }),
);
await pool.close();
for (const line of tally(lives, passedMs() / 1_000)) print(line);
if (lives.length === 0) {
  process.exitCode = 1;
  print('no life came to its end, so nothing is shown: give more minutes, or fewer days or tokens');
}
