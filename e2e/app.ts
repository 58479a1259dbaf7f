import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { STACK } from './policy.ts';
import { run } from './processes.ts';

/**
 * As the documents have it, with the policy that `KEYTURN_POLICY` names. With `BROKEN`, and beside Keyturn, a queue that SQS
 * refuses, after all of Keyturn was changed.
 */
const APP = `
import { KeyturnStack } from '@keyturn/cdk';
import { App } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';

const stack = new KeyturnStack(new App(), '${STACK}', { policy: process.env.KEYTURN_POLICY });
if (process.env.BROKEN) {
  const broken = new CfnQueue(stack, 'Broken', { fifoQueue: true, queueName: 'lacks-the-ending' });
  broken.node.addDependency(stack.keyturn);
}
`;

/**
 * Packs the package and installs it from npm into an empty app, as anybody would.
 * @returns the app's folder, with a `cdk.json`
 */
export async function makeApp(repository: string, folder: string): Promise<string> {
  const app = join(folder, 'app');
  mkdirSync(app);
  await run('npm', ['pack', '--loglevel=error', '--pack-destination', folder], { cwd: repository });
  const [tarball = ''] = globSync(join(folder, 'keyturn-cdk-*.tgz'));
  await run('npm', ['init', '-y'], { cwd: app });
  const { 'aws-cdk': cli, 'aws-cdk-lib': lib, constructs } = manifest.devDependencies;
  const packages = [tarball, `aws-cdk@${cli}`, `aws-cdk-lib@${lib}`, `constructs@${constructs}`];
  const quiet = ['--no-audit', '--no-fund', '--loglevel', 'error'];
  await run('npm', ['install', ...quiet, ...packages], { cwd: app });
  writeFileSync(join(app, 'app.mjs'), APP);
  writeFileSync(join(app, 'cdk.json'), JSON.stringify({ app: 'node app.mjs' }));
  return app;
}
