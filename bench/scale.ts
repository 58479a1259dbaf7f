import '../sandbox/require-node-24.ts';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { fractionOf, HIGHEST_JITTER } from '../functions/policy/jitter.ts';
import { DEFAULT_LIFETIMES } from '../functions/policy/policy.ts';
import { KeyturnStack } from '../lib/keyturn-stack.ts';
import { PRICES } from './prices.ts';

/**
 * Many clusters in one account and Region, on paper: what of the account's quotas their stacks take, and when what writes. Only the
 * writes of secrets are scarce; how a run makes them is told by `bench:fleet`, which runs the functions.
 */
const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '100000' },
    clusters: { type: 'string', default: '50' },
    /** `secretWritesPerSecond` of each policy. */
    'writes-per-second': { type: 'string', default: '20' },
    days: { type: 'string', default: '365' },
  },
});
function counted(name: keyof typeof values, most: number): number {
  const found = Number(values[name]);
  if (Number.isInteger(found) && found >= 1 && found <= most) return found;
  console.error(
    `--${name}: found ${values[name]}, expected a whole number from 1 to ${most}; give one`,
  );
  process.exit(2);
}

const tokens = counted('tokens', 500_000);
const clusters = counted('clusters', 1_000);
const ownRate = counted('writes-per-second', 50);
const days = counted('days', 3_650);

const DAY_S = 86_400;
const PERIOD_S = 1_800;
const RUN_S = 890;
/** PutSecretValue and UpdateSecretVersionStage together. https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const QUOTA = 50;

const print = (text = '') => process.stdout.write(`${text}\n`);
const shown = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 1 });

interface Load {
  readonly title: string;
  /** `secretWritesPerSecond` of each policy. */
  readonly rate: number;
  /** Seconds from the beginning until a token is due for the first time. */
  readonly firstDueS: (index: number, intervalS: number) => number;
  readonly days: number;
  /** Everything is due at the beginning. */
  readonly isWave?: true;
}

const GRACE_FIRINGS = Math.ceil(DEFAULT_LIFETIMES.gracePeriod / 1_000 / PERIOD_S);
/** After its firing a rotation has three writes: a version in that run, AWSCURRENT in the next, and AWSPREVIOUS off a day later. */
const WRITES_AFTER = [0, 1, 1 + GRACE_FIRINGS];

const intervalOf = (token: number): number =>
  (DEFAULT_LIFETIMES.rotateEvery / 1_000) * (1 - HIGHEST_JITTER * fractionOf(`token-${token}`));

/** How many writes each cluster has to make, by firing. */
function dueWrites({ firstDueS, days: lived }: Load): readonly Uint32Array[] {
  const firings = (lived * DAY_S) / PERIOD_S;
  const due = Array.from({ length: clusters }, () => new Uint32Array(firings));
  for (let token = 0; token < tokens; token += 1) {
    const writes = due[token % clusters] as Uint32Array;
    const intervalS = intervalOf(token);
    for (let at = firstDueS(token, intervalS); at < lived * DAY_S; at += intervalS) {
      const firing = Math.ceil(at / PERIOD_S);
      for (const later of WRITES_AFTER) {
        // Beyond the end, an element of a typed array is none.
        writes[firing + later] = (writes[firing + later] as number) + 1;
      }
    }
  }
  return due;
}

/** Each cluster fires at a minute of its own, after which its runs are told apart. */
const phaseOf = (cluster: number) => Math.floor(fractionOf(`cluster-${cluster}`) * PERIOD_S);

/** Makes a run's writes, from a second on, in the room that others have left. Returns what is left, and when it ended. */
function run(used: Uint8Array, fromS: number, writes: number, rate: number) {
  let [left, second] = [writes, fromS];
  for (; left > 0 && second < fromS + RUN_S && second < used.length; second += 1) {
    const before = used[second] as number;
    const made = Math.min(left, rate, QUOTA - before);
    used[second] = before + made;
    left -= made;
  }
  return { left, tookS: second - fromS };
}

function told(load: Load): void {
  const due = dueWrites(load);
  const used = new Uint8Array(load.days * DAY_S);
  const inOrder = Array.from(due.keys()).sort((one, other) => phaseOf(one) - phaseOf(other));
  let [longestS, unfinished] = [0, 0];
  for (let firing = 0; firing * PERIOD_S < used.length; firing += 1) {
    for (const cluster of inOrder) {
      const writes = due[cluster] as Uint32Array;
      const fromS = firing * PERIOD_S + phaseOf(cluster);
      const { left, tookS } = run(used, fromS, writes[firing] as number, load.rate);
      writes[firing + 1] = (writes[firing + 1] as number) + left;
      longestS = Math.max(longestS, tookS);
      unfinished += left > 0 ? 1 : 0;
    }
  }
  const full = used.filter((each) => each >= QUOTA).length;
  print(`\n${load.title}; ${load.rate} writes a second for each cluster, ${load.days} days`);
  print(`  writes                            ${shown(used.reduce((sum, each) => sum + each, 0))}`);
  print(
    `  in the busiest second             ${used.reduce((most, each) => Math.max(most, each), 0)} of ${QUOTA}`,
  );
  print(`  seconds at the quota              ${shown(full)}`);
  print(`  longest run                       ${shown(longestS)} s`);
  print(`  runs that left some for the next  ${shown(unfinished)}`);
  if (load.isWave) {
    const lastS = used.subarray(0, DAY_S).findLastIndex((each) => each > 0);
    print(`  all promoted after                ${shown(lastS / 60)} minutes`);
    print(`  the quota's own time for that     ${shown((2 * tokens) / QUOTA / 60)} minutes`);
  }
}

/** Default quotas of an account in a Region. */
const QUOTAS: readonly (readonly [type: string, quota: number])[] = [
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  ['AWS::IAM::Role', 1_000],
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
  ['AWS::CloudWatch::Alarm', 5_000],
  ['AWS::CloudWatch::Dashboard', 500],
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
  ['AWS::CloudFormation::Stack', 2_000],
  // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
  ['AWS::Lambda::Function', Number.POSITIVE_INFINITY],
  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html
  ['AWS::Scheduler::Schedule', 10_000_000],
];
const SECRETS_QUOTA = 500_000;
const CONCURRENCY_QUOTA = 1_000;

function quotas(): void {
  const app = new App({ outdir: `${tmpdir()}/keyturn-scale-${process.pid}` });
  const template = Template.fromStack(
    new KeyturnStack(app, 'Scale', { policy: 'keyturn.example.yaml' }),
  );
  rmSync(app.outdir, { recursive: true, force: true });
  print(`What ${clusters} stacks take of an account's default quotas in a Region`);
  for (const [type, quota] of QUOTAS) {
    const each = type.endsWith('::Stack') ? 1 : Object.keys(template.findResources(type)).length;
    const most = Math.floor(quota / each);
    const room = Number.isFinite(quota)
      ? `${shown(quota)}, room for ${shown(most)} stacks`
      : 'no quota';
    print(
      `  ${type.padEnd(28)} ${String(each).padStart(3)} each, ${shown(each * clusters)} of ${room}`,
    );
  }
  print(`  secrets                      ${shown(tokens)} of ${shown(SECRETS_QUOTA)}`);
  print(
    `  runs at once, at most        ${clusters * 3} of ${shown(CONCURRENCY_QUOTA)}, schedules alone`,
  );
}

function cost(): void {
  const storage = tokens * PRICES.secretMonth;
  print('\nWhat it costs in a month, in US dollars');
  print(`  secrets                         ${shown(storage)}`);
  print(
    '  calls, runs, logs, alarms       npm run bench -- cost: a month of 1,000 tokens, and fixed, of each stack',
  );
}

quotas();
cost();
told({
  title: 'Issued evenly over a month, which is how a fleet grows',
  rate: ownRate,
  firstDueS: (index, intervalS) => ((index * 7_919) % tokens) * (intervalS / tokens),
  days,
});
told({
  title: 'All issued on one day',
  rate: ownRate,
  firstDueS: (_index, intervalS) => intervalS,
  days,
});
// After a change of permissions in every policy, say, or an order that ends everything.
for (const rate of [...new Set([ownRate, Math.max(1, Math.floor(QUOTA / clusters))])]) {
  told({ title: 'All due at one instant', rate, firstDueS: () => 0, days: 2, isWave: true });
}
