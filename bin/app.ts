import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { shownText } from '../functions/policy/misplaced.ts';
import type { Deployment } from '../lib/deployment.ts';
import { KeyturnStack, stackId } from '../lib/keyturn-stack.ts';
import { checkOwners, PolicyFileError, readPolicyFile } from '../lib/policy-file.ts';
import { harmless } from './harmless.ts';

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

/**
 * `cdk deploy -c policy=a.yaml,b.yaml`: if `-c policy=` is repeated, the CDK CLI keeps only the
 * last one.
 */
const files = String(app.node.tryGetContext('policy') ?? 'keyturn.yaml').split(',');

/** Where the CDK CLI would deploy to; known only if a VPC is looked up there. */
function placeOf({ vpc }: Deployment) {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  return vpc && 'tags' in vpc && account && region ? { env: { account, region } } : {};
}

try {
  checkOwners(files);
  for (const file of files) {
    const { policy, deployment } = readPolicyFile(file);
    new KeyturnStack(app, stackId(policy), { policy: file, ...placeOf(deployment) });
  }
} catch (error) {
  // A stack helps whoever develops; a mistake in a policy has its line already.
  const isMistake = error instanceof PolicyFileError;
  const text = error instanceof Error && !isMistake ? error.stack : undefined;
  console.error(harmless(shownText(text ?? messageOf(error)), { isStyled: false }));
  process.exit(1);
}
