import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { KeyturnStack } from '../lib/keyturn-stack.ts';
import { checkOwners, PolicyFileError } from '../lib/policy-file.ts';

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

/**
 * `cdk deploy -c policy=a.yaml,b.yaml`: if `-c policy=` is repeated, the CDK CLI keeps only the
 * last one.
 */
const files = String(app.node.tryGetContext('policy') ?? 'keyturn.yaml').split(',');
try {
  checkOwners(files);
  for (const policy of files) new KeyturnStack(app, { policy });
} catch (error) {
  if (!(error instanceof PolicyFileError)) throw error;
  console.error(error.message);
  process.exit(1);
}
