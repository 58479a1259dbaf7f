import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { shownText } from '../functions/policy/misplaced.ts';
import { refuseElsewhere } from '../lib/elsewhere.ts';
import { KeyturnStack, stackId } from '../lib/keyturn-stack.ts';
import { checkOwners, PolicyFileError, readPolicyFile } from '../lib/policy-file.ts';
import { namedPolicyFiles, POLICY_VARIABLE } from '../lib/policy-files.ts';
import { harmless } from './harmless.ts';

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

const files = namedPolicyFiles(
  String(app.node.tryGetContext('policy') ?? process.env[POLICY_VARIABLE] ?? ''),
);

/** Where the CDK CLI would deploy to. Without credentials it knows no account, and its Region is a guess. */
function placeOfCli() {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  return account && region ? { account, region } : undefined;
}

try {
  checkOwners(files);
  const place = placeOfCli();
  const stacks: string[] = [];
  for (const file of files) {
    const policyFile = readPolicyFile(file);
    refuseElsewhere(policyFile, {}, place ?? {});
    const { policy, deployment } = policyFile;
    stacks.push(stackId(policy));
    // A stack that knows its place has another template: it need not, unless a VPC is looked up there.
    const looksUp = deployment.vpc && 'tags' in deployment.vpc;
    const env = looksUp && place ? { env: place } : {};
    new KeyturnStack(app, stackId(policy), { policy: file, ...env });
  }
  // The CDK CLI asks for it only after the synthesis, and not by the names of the files.
  if (files.length > 1) {
    console.error(
      `keyturn: ${files.length} policy files make ${files.length} stacks; to deploy, compare or destroy them, add --all, or name one of ${stacks.join(', ')}`,
    );
  }
} catch (error) {
  // A stack helps whoever develops; a mistake in a policy has its line already.
  const isMistake = error instanceof PolicyFileError;
  const text = error instanceof Error && !isMistake ? error.stack : undefined;
  console.error(harmless(shownText(text ?? messageOf(error)), { isStyled: false }));
  process.exit(1);
}
