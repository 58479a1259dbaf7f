import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { checkAfterwards } from './afterwards.ts';
import { type Consumer, startConsumer } from './consumer.ts';
import { firstPolicy, secondPolicy, secretOf } from './policy.ts';
import { InstallError, installPrograms } from './python.ts';
import { createReport, StepError } from './report.ts';
import * as scenario from './scenario.ts';
import { ACCOUNT, deploy, prepareStage, REGION } from './stage.ts';
import { lookAt } from './world.ts';

const LONGEST_RUN_MS = 10 * 60_000;
const SECONDS_OF_LIFE = 5;

const print = (text: string) => process.stdout.write(`${text}\n`);
const report = createReport();

async function main(): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-e2e-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.on('exit', removeFolder);

  print('Keyturn, deployed by the CDK CLI to an AWS emulator, beside the sandbox’s cluster\n');
  const programs = await report.step('MiniStack and the AWS CLI are in .venv', installPrograms);
  const stage = await report.step('MiniStack and the cluster answer on loopback addresses', () =>
    prepareStage(programs, folder),
  );
  cleanup.defer(() => stage.close());
  report.note('the sandbox is Secrets Manager: MiniStack’s overwrites a version that is put again');
  report.note('IAM is not enforced by MiniStack; test/ holds the roles to the calls made');
  report.note('the AWS CLI is version 1, which takes a payload as it is, without a binary format');

  const { sandbox } = stage;
  const { url } = sandbox.cluster;
  const world = lookAt(sandbox);
  const scene = { stage, world, report };
  const foreign = await report.step('there are databases and tokens of others already', () =>
    scenario.furnish(world, SECONDS_OF_LIFE),
  );

  await report.step('cdk bootstrap', () => stage.cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`));
  stage.writePolicy(firstPolicy(url));
  await report.step('cdk deploy: every resource of the stack, none left out', () =>
    deploy(stage, folder),
  );
  await scenario.issueFirstTokens(scene);

  const secrets = new SecretsManagerClient({
    endpoint: sandbox.aws.url,
    region: REGION,
    credentials: { accessKeyId: 'consumer', secretAccessKey: 'consumer' },
  });
  cleanup.defer(() => secrets.destroy());
  const consumers: readonly Consumer[] = ['telegraf', 'grafana'].map((token) =>
    startConsumer(secrets, secretOf(token), 'telemetry'),
  );
  cleanup.defer(async () => {
    await Promise.all(consumers.map((each) => each.stop()));
  });

  const old = await scenario.rotateTelegraf(scene);
  report.note('reap touches nothing younger than an hour, and no policy can shorten that:');
  report.note('the cluster was told that the old token is two hours older than it is');
  await scenario.checkFenced(scene, old);
  await scenario.checkDatabases(scene);
  await scenario.checkForeign(scene, foreign);

  const before = world.versions();
  stage.writePolicy(secondPolicy(url));
  await report.step('cdk deploy of a changed policy keeps every secret and version', async () => {
    await deploy(stage, folder);
    scenario.expectKept(before, world.versions());
  });
  await scenario.revokeInvoices(scene);
  await scenario.checkQuarantined(scene, old);
  await scenario.checkSecondPolicy(scene);
  await scenario.checkDeleted(scene, old);
  await checkAfterwards(scene, consumers, folder);
}

async function runAll(): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    if (error.cause instanceof InstallError && !process.env.CI) {
      print('\nNothing was tested: what is missing on this machine is said above.');
    }
  }
}

const stopWith = (code: number, sentence: string) => () => {
  print(`\n${sentence}`);
  process.exit(code);
};
process.once('SIGINT', stopWith(130, 'Stopped.'));
process.once('SIGTERM', stopWith(143, 'Stopped.'));
setTimeout(stopWith(1, 'FAILED: not done within ten minutes.'), LONGEST_RUN_MS).unref();

await runAll();
process.exit(report.close() === 0 ? 0 : 1);
