import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { askWitnesses, destroy } from './afterwards.ts';
import { subscribe } from './bus.ts';
import { startConsumer } from './consumer.ts';
import { decisionsIn, readLogs } from './function-logs.ts';
import { firstPolicy, secondPolicy, secretOf } from './policy.ts';
import { installPrograms } from './python.ts';
import { createReport, StepError } from './report.ts';
import * as scenario from './scenario.ts';
import { ACCOUNT, prepareStage, REGION, type Stage } from './stage.ts';
import { lookAt } from './world.ts';

const LONGEST_RUN_MS = 10 * 60_000;
const LIFE_OF_A_FOREIGN_TOKEN_MS = 5_000;

const print = (text: string) => process.stdout.write(`${text}\n`);
const report = createReport();

/** From a bootstrapped account to a destroyed stack, in the README's order. */
async function play(stage: Stage, cleanup: AsyncDisposableStack): Promise<void> {
  const { aws, cluster } = stage.sandbox;
  const world = lookAt(stage.sandbox);
  const scene = { stage, world, report };
  const foreign = await report.step('the cluster has databases and tokens of others', () =>
    scenario.furnish(world, LIFE_OF_A_FOREIGN_TOKEN_MS),
  );

  await report.step('cdk bootstrap', stage.bootstrap);
  await report.step('cdk deploy: every resource of the stack, none left out', () =>
    stage.deploy(firstPolicy(cluster.url)),
  );
  const subscriber = await report.step('a rule and a queue subscribe to its events', () =>
    subscribe(stage, ACCOUNT, REGION),
  );
  await scenario.issueFirstTokens(scene);

  const secrets = new SecretsManagerClient({
    endpoint: aws.url,
    region: REGION,
    credentials: { accessKeyId: 'consumer', secretAccessKey: 'consumer' },
  });
  const consumers = ['telegraf', 'grafana'].map((token) =>
    startConsumer(secrets, secretOf(token), 'telemetry'),
  );
  cleanup.defer(async () => {
    await Promise.all(consumers.map((each) => each.stop()));
    secrets.destroy();
  });

  const old = await scenario.rotateTelegraf(scene);
  report.note('reap touches nothing younger than an hour, and no policy can shorten that:');
  report.note('the cluster was told that the old token is two hours older than it is');
  await scenario.checkFenced(scene, old);
  await scenario.checkDatabases(scene);
  await scenario.checkForeign(scene, foreign);

  const before = world.versions();
  await report.step('cdk deploy of a changed policy keeps every secret and version', async () => {
    await stage.deploy(secondPolicy(cluster.url));
    scenario.expectKept(before, world.versions());
  });
  await scenario.revokeInvoices(scene);
  await scenario.checkQuarantined(scene, old);
  await scenario.checkSecondPolicy(scene);
  await scenario.checkDeleted(scene, old);
  await askWitnesses(scene, { consumers, subscriber });
  await destroy(scene);
}

/** What was said last: a step that waited in vain does not know why. */
async function explain(stage: Stage): Promise<void> {
  const emulator = stage.miniStack.log().split('\n');
  const complaints = emulator.filter((line) => / (?:WARNING|ERROR) /.test(line)).slice(-5);
  const functions = decisionsIn(await readLogs(stage).catch(() => []));
  const lines = [...complaints, ...functions.slice(-20)].map((line) => `  ${line.slice(0, 400)}`);
  if (lines.length > 0) print(`\nMiniStack and the functions said last:\n${lines.join('\n')}`);
}

async function main(): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-e2e-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  print('Keyturn, deployed by the CDK CLI to an AWS emulator, beside the sandbox’s cluster\n');
  const programs = await report.step('MiniStack and the AWS CLI are in .venv', installPrograms);
  const stage = await report.step('MiniStack and the cluster answer on loopback addresses', () =>
    prepareStage(programs, folder),
  );
  cleanup.defer(() => stage.close());
  report.note('the sandbox is Secrets Manager: MiniStack’s overwrites a version that is put again');
  report.note('IAM is not enforced by MiniStack: test/ holds the roles to the calls made');
  report.note(
    'MiniStack retries no scheduled run, and puts none that failed into the failure queue',
  );
  report.note('the AWS CLI is version 1, which takes a payload as it is: no --cli-binary-format');
  try {
    await play(stage, cleanup);
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
setTimeout(() => end(1, 'Given up: it takes longer than ten minutes.'), LONGEST_RUN_MS).unref();

try {
  await main();
  end(0);
} catch (error) {
  // A step that failed has said so; anything else is a mistake of this program.
  end(1, error instanceof StepError ? undefined : inspect(error));
}
