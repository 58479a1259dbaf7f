import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect, parseArgs } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PERSON } from '../../sandbox/aws/account.ts';
import { realClock } from '../../sandbox/clock.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { expect } from '../expect.ts';
import { firstPolicy, MANAGEMENT_SECRET } from '../policy.ts';
import { createReport, StepError } from '../report.ts';
import { readWorld } from '../world.ts';
import { compareAnswers } from './answers.ts';
import { putInFront, SABOTAGES } from './front.ts';
import { startInfluxd } from './influxd.ts';
import { deploy } from './keyturn.ts';
import { obtainPrograms, type Programs, ProgramsMissing } from './programs.ts';
import { begin, checkWholeRun, live } from './scenario.ts';
import { prepareTelegraf } from './telegraf.ts';

/** Nothing failed, and nothing was tried: .ci/run goes on. */
const NOT_HERE = 77;
const LONGEST_RUN_MS = 10 * 60_000;
const LONGEST_BUILD_MS = 20 * 60_000;
/** Time until the gate learns of a new or a deleted token. */
const DELAY_MS = 2_000;

// Nobody reads any more (`| head`): it goes on to its end, which takes away what it has made.
process.stdout.on('error', () => {});
const print = (text: string) => process.stdout.write(`${text}\n`);
const report = createReport();

function readFlags() {
  const options = { sabotage: { type: 'string' }, record: { type: 'boolean' } } as const;
  const { sabotage: name, record = false } = parseArgs({ options }).values;
  const sabotage = SABOTAGES.find((each) => each === name);
  if (name !== sabotage) throw new Error(`--sabotage is one of ${SABOTAGES.join(', ')}`);
  return { sabotage, record };
}

async function main({ influxd: influxdProgram, telegraf: telegrafProgram }: Programs) {
  const { sabotage, record } = readFlags();
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-real-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  const influxd = await report.step('influxd answers on a loopback address', () =>
    startInfluxd(influxdProgram, join(folder, 'influxd')),
  );
  cleanup.defer(() => influxd.stop());
  const sandbox = await startSandbox({
    clock: realClock,
    managementSecretName: MANAGEMENT_SECRET,
    activationDelayMs: DELAY_MS,
    revocationDelayMs: DELAY_MS,
  });
  cleanup.defer(() => sandbox.close());
  const { cluster, aws } = sandbox;
  const writes = putInFront(cluster, influxd, sabotage);

  cluster.activationDelayMs = 0;
  await report.check('influxd answers as it did when its answers were recorded', async () => {
    const { news, unlike } = await compareAnswers(cluster, record);
    for (const each of unlike) report.note(`unlike influxd: ${each}`);
    expect('other answers', news, []);
  });
  cluster.activationDelayMs = DELAY_MS;

  const policy = { ...firstPolicy(cluster.url), settle: '1m' };
  const keyturn = await report.step('cdk synth', () => deploy(sandbox, policy, folder));
  cleanup.defer(() => keyturn.close());
  const secrets = new SecretsManagerClient({
    endpoint: aws.url,
    region: aws.region,
    credentials: PERSON,
  });
  cleanup.defer(() => secrets.destroy());
  const telegraf = prepareTelegraf(
    telegrafProgram,
    join(folder, 'telegraf'),
    cluster.url,
    'telemetry',
  );
  const world = readWorld(sandbox);
  const scene = { sandbox, world, influxd, telegraf, keyturn, secrets, writes, report };
  report.note(
    'reap changes no token that is younger than an hour, and no policy can shorten that:',
  );
  report.note('so the test sets the creation of tokens back; it also makes them due like that');
  const consumers = await begin(scene, cleanup);
  await live(scene);
  await checkWholeRun(scene, consumers);
}

const end = (code: number, sentence?: string) => {
  if (sentence) print(`\n${sentence}`);
  const failed = report.close();
  process.exit(failed > 0 ? 1 : code);
};
function endUntried(why: string): never {
  print(`\nNot run: ${why}. Exit code ${NOT_HERE}.`);
  process.exit(NOT_HERE);
}
process.once('SIGINT', () => end(130, 'Stopped.'));
process.once('SIGTERM', () => end(143, 'Stopped.'));
process.once('SIGHUP', () => end(129));

try {
  print("Keyturn, with the sandbox's gate in front of a real InfluxDB, and a real Telegraf\n");
  const building = setTimeout(
    () => endUntried('the programs were not built within twenty minutes'),
    LONGEST_BUILD_MS,
  );
  const programs = await obtainPrograms(report);
  clearTimeout(building);
  setTimeout(
    () => end(1, 'Stopped: the run took longer than ten minutes.'),
    LONGEST_RUN_MS,
  ).unref();
  await main(programs);
  end(0);
} catch (error) {
  if (error instanceof ProgramsMissing) endUntried(error.message);
  // A failed step is printed already; any other error is a fault of this program.
  end(1, error instanceof StepError ? undefined : inspect(error));
}
