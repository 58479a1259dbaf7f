import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { KeyturnStack } from '../lib/keyturn-stack.ts';

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

/** `cdk deploy -c policy=a.yaml,b.yaml`: of a repeated `-c policy=`, the CDK CLI keeps the last alone. */
const files = String(app.node.tryGetContext('policy') ?? 'keyturn.yaml').split(',');
for (const policy of files) new KeyturnStack(app, { policy });
