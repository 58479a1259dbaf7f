import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PERSON } from '../sandbox/aws/account.ts';
import { checkWholeRun, createAgain, destroy, rollBack } from './afterwards.ts';
import { subscribe } from './bus.ts';
import { startConsumer } from './consumer.ts';
import { startFiring } from './firing.ts';
import { decisionsIn, readLogs } from './function-logs.ts';
import { haveNeighbour } from './neighbour.ts';
import { brokenPolicy, firstPolicy, neighbourPolicy, secondPolicy, secretOf } from './policy.ts';
import { installPackages } from './python.ts';
import { record } from './record.ts';
import { createReport, StepError } from './report.ts';
import * as scenario from './scenario.ts';
import { ACCOUNT, prepareStage, REGION, type Stage } from './stage.ts';
import { readWorld } from './world.ts';

const LONGEST_RUN_MS = 15 * 60_000;
const FOREIGN_TOKEN_LIFETIME_MS = 5_000;

// Nobody reads any more (`| head`): it goes on to its end, which takes away what it has made.
process.stdout.on('error', () => {});
const printed: string[] = [];
function print(text: string): void {
  printed.push(text);
  process.stdout.write(`${text}\n`);
}
const report = createReport(print);

/** From a bootstrapped account to a destroyed stack, in the README's order. */
async function runScenario(stage: Stage, cleanup: AsyncDisposableStack): Promise<void> {
  const { aws, cluster } = stage.sandbox;
  const world = readWorld(stage.sandbox);
  const scene = { stage, world, report };
  const foreign = await report.step('the cluster has databases and foreign tokens', () =>
    scenario.prepareCluster(world, FOREIGN_TOKEN_LIFETIME_MS),
  );

  await report.step('cdk bootstrap', () => stage.bootstrap(firstPolicy(cluster.url)));
  await report.step('cdk deploy, with every resource of the stack', () =>
    stage.deploy(firstPolicy(cluster.url)),
  );
  await scenario.checkAlarms(scene);
  const subscriber = await report.step('a rule and a queue subscribe to its events', () =>
    subscribe(stage, ACCOUNT, REGION),
  );
  await scenario.issueFirstTokens(scene);
  const firing = await report.step('its schedules begin to fire', () => startFiring(stage));
  cleanup.defer(() => firing.stop());

  const secrets = new SecretsManagerClient({
    endpoint: aws.url,
    region: REGION,
    credentials: PERSON,
  });
  const consumers = ['telegraf', 'grafana'].map((token) =>
    startConsumer(secrets, secretOf(token), 'telemetry'),
  );
  cleanup.defer(async () => {
    await Promise.all(consumers.map((each) => each.stop()));
    secrets.destroy();
  });

  const old = await scenario.rotateTelegraf(scene);
  report.note(
    'reap changes no token that is younger than an hour, and no policy can shorten that:',
  );
  report.note('so the test sets the creation of the old token two hours back');
  await scenario.checkFenced(scene, old);
  const checkQuarantined = scenario.watchQuarantine(scene, old);
  await scenario.checkDatabases(scene);
  await scenario.checkForeign(scene, foreign);

  const before = world.versions();
  await report.step('npm pack, and npm install into an empty app', stage.moveToPackage);
  await report.step(
    'cdk deploy of a changed policy, from the package, keeps every secret and version',
    async () => {
      await stage.deploy(secondPolicy(cluster.url));
      scenario.expectKept(before, world.versions());
    },
  );
  await scenario.revokeInvoices(scene);
  await checkQuarantined();
  await scenario.checkSecondPolicy(scene);
  await scenario.checkDeleted(scene, old);
  await scenario.operate(scene);
  await firing.stop();
  await checkWholeRun(scene, { consumers, subscriber });
  await destroy(scene);
  await createAgain(scene, secondPolicy(cluster.url));
  await rollBack(scene, brokenPolicy(cluster.url));
  await haveNeighbour(scene, neighbourPolicy(cluster.url));
}

/** Prints the last lines of the logs: a step that timed out does not know why. */
async function explain(stage: Stage): Promise<void> {
  const emulator = stage.miniStack.log().split('\n');
  const complaints = emulator.filter((line) => / (?:WARNING|ERROR) /.test(line)).slice(-5);
  const functions = decisionsIn(await readLogs(stage).catch(() => []));
  const lines = [...complaints, ...functions.slice(-20)].map((line) => `  ${line.slice(0, 400)}`);
  if (lines.length > 0)
    print(`\nThe last lines of MiniStack and the functions:\n${lines.join('\n')}`);
}

async function main(): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-e2e-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  print('Keyturn, deployed by the CDK CLI to an AWS emulator, with the cluster of the sandbox\n');
  const programs = await report.step('MiniStack and the AWS CLI are in .venv', () =>
    installPackages('aws', ['ministack==1.5.33', 'awscli==1.46.3']),
  );
  const stage = await report.step('MiniStack and the cluster answer on loopback addresses', () =>
    prepareStage(programs, folder),
  );
  cleanup.defer(() => stage.close());
  report.note(
    'Secrets Manager is that of the sandbox: MiniStack overwrites a version that is put again',
  );
  report.note('MiniStack does not enforce IAM: test/ checks the roles against the calls');
  report.note('MiniStack does not fill in the input of schedules: the test fires them');
  report.note('the AWS CLI is version 1, which has no --cli-binary-format and needs none');
  try {
    await runScenario(stage, cleanup);
  } catch (error) {
    await explain(stage);
    throw error;
  }
}

const end = (code: number, sentence?: string) => {
  if (sentence) print(`\n${sentence}`);
  const failed = report.close();
  process.exit(failed > 0 ? 1 : code);
};
process.once('SIGINT', () => end(130, 'Stopped.'));
process.once('SIGTERM', () => end(143, 'Stopped.'));
process.once('SIGHUP', () => end(129));
setTimeout(
  () => end(1, 'Stopped: the run took longer than fifteen minutes.'),
  LONGEST_RUN_MS,
).unref();

try {
  await main();
  // What comes behind it is the last line alone.
  process.once('exit', (code) => {
    if (code === 0 && process.argv.includes('--record')) record(printed);
  });
  end(0);
} catch (error) {
  // A failed step is printed already; any other error is a fault of this program.
  end(1, error instanceof StepError ? undefined : inspect(error));
}
