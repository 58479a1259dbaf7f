// npm install aws-cdk-lib constructs esbuild @aws-sdk/client-secrets-manager
// npx cdk deploy --app "node app.ts" -c owner=prod -c token=invoices -c database=billing        (Node.js 24)
import { join } from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';

const app = new App();
const [owner, token, database] = ['owner', 'token', 'database'].map((key) =>
  app.node.getContext(key),
);

const stack = new Stack(app, 'keyturn-example-lambda');
const secretName = `keyturn/${owner}/${token}`;
const writer = new NodejsFunction(stack, 'Writer', {
  entry: join(import.meta.dirname, 'handler.ts'),
  runtime: Runtime.NODEJS_24_X,
  timeout: Duration.seconds(30),
  // The name, not the value: CDK can put a secret's value here, and then it stays what it was at the deployment.
  environment: { SECRET: secretName, DATABASE: database },
});
// Secrets Manager adds six characters to a secret's ARN, which the name alone does not tell.
Secret.fromSecretNameV2(stack, 'Token', secretName).grantRead(writer);
