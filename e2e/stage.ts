import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createAccount, environmentOf, PERSON } from '../sandbox/aws/account.ts';
import { realClock } from '../sandbox/clock.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { makeApp } from './app.ts';
import { checkOutFirstVersion } from './first-version.ts';
import { type MiniStack, startMiniStack } from './ministack.ts';
import { MANAGEMENT_SECRET, STACK } from './policy.ts';
import { run } from './processes.ts';

const REPOSITORY = resolve(import.meta.dirname, '..');
export const REGION = 'eu-west-1';
/** The account of MiniStack; the sandbox uses it too, so that their ARNs agree. */
export const ACCOUNT = '000000000000';
/** Time until the cluster's data plane learns of a new or a deleted token. */
const DELAY_MS = 2_000;

/** A deployment beside that of the stage. */
export interface Beside extends Pick<Stage, 'keyturn' | 'destroy'> {
  /** From a checkout of version 0.1.0. */
  deployFirstVersion(): Promise<unknown>;
  deploy(): Promise<unknown>;
  /** Invokes a function of it with the AWS CLI, by its job. */
  invoke(job: string, event: object): Promise<unknown>;
}

export interface Stage {
  readonly sandbox: Sandbox;
  readonly miniStack: MiniStack;
  /** `cdk bootstrap`, `cdk deploy` and `cdk destroy`, as the README has them. */
  bootstrap(policy: object): Promise<unknown>;
  deploy(policy: object): Promise<unknown>;
  /**
   * Deploys a policy whose update fails once all of Keyturn was changed, and is rolled back. Resolves to what the CDK CLI
   * says. Only from the package's app.
   */
  deployBroken(policy: object): Promise<string>;
  destroy(): Promise<unknown>;
  /** Another deployment in the same account, from the checkout. */
  beside(policy: object & { readonly owner: string }): Beside;
  /** From now on `cdk` and `keyturn` run in an app that has installed the package, and not in the checkout. */
  moveToPackage(): Promise<void>;
  /** Runs the command line as an operator does, with `--json`; returns its parsed answer. */
  keyturn(...args: readonly string[]): Promise<unknown>;
  /** Runs the AWS CLI and returns its parsed answer. */
  aws(...args: readonly string[]): Promise<unknown>;
  /** Outputs of the deployed stack. */
  outputs(): Readonly<Record<string, string>>;
  /** Invokes a function with the AWS CLI, by its name in the outputs. */
  invoke(outputId: string, event: object): Promise<unknown>;
  /** Runs a shell command that writes its answer to this file; returns the parsed answer. */
  shell(command: string, answerFile: string): Promise<unknown>;
  close(): Promise<void>;
}

const parse = (text: string): unknown => (text.trim() === '' ? undefined : JSON.parse(text));

/**
 * The cluster and Secrets Manager run in this process, everything else of AWS in MiniStack.
 * @param programs the folder that has `ministack` and `aws`
 */
export async function prepareStage(programs: string, folder: string): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const sandbox = await startSandbox({
    clock: realClock,
    region: REGION,
    // MiniStack gives functions the account's number as the id of their key.
    account: createAccount(realClock, ACCOUNT, [{ ...PERSON, accessKeyId: ACCOUNT }]),
    managementSecretName: MANAGEMENT_SECRET,
    activationDelayMs: DELAY_MS,
    revocationDelayMs: DELAY_MS,
  });
  started.defer(() => sandbox.close());
  const shared = {
    ...environmentOf(PERSON),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: sandbox.aws.url,
  };
  const miniStack = await startMiniStack(join(programs, 'ministack'), folder, REGION, shared);
  started.defer(() => miniStack.stop());

  const policyFile = join(folder, 'keyturn.yaml');
  const outputsFile = join(folder, 'outputs.json');
  const env: NodeJS.ProcessEnv = {
    ...shared,
    PATH: [dirname(process.execPath), programs, process.env.PATH].join(delimiter),
    HOME: folder,
    AWS_ENDPOINT_URL: miniStack.url,
    AWS_ENDPOINT_URL_S3: miniStack.url,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_HOME: folder,
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CDK_DISABLE_VERSION_CHECK: 'true',
    // npx must run what npm ci installed, without a registry.
    NPM_CONFIG_OFFLINE: 'true',
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
    KEYTURN_POLICY: policyFile,
  };
  const outputs = (): Record<string, string> =>
    JSON.parse(readFileSync(outputsFile, 'utf8'))[STACK];
  const aws: Stage['aws'] = async (...args) => {
    // Version 1 of the AWS CLI has no environment variable for the endpoint of some services.
    const common = ['--endpoint-url', miniStack.url, '--cli-read-timeout', '300'];
    return parse(
      await run(join(programs, 'aws'), [...args, ...common, '--output', 'json'], { env }),
    );
  };
  const invoke = async (name: string, event: object) => {
    const file = join(folder, `${name}.json`);
    const payload = ['--payload', JSON.stringify(event), file];
    const answer = await aws('lambda', 'invoke', '--function-name', name, ...payload);
    const body = readFileSync(file, 'utf8');
    if (JSON.stringify(answer).includes('FunctionError')) throw new Error(`${name}: ${body}`);
    return parse(body);
  };
  let home = REPOSITORY;
  const cdk = (...args: readonly string[]) =>
    run('npx', ['cdk', ...args, '--output', join(folder, 'cdk.out')], { env, cwd: home });
  const write = (policy: object, file = policyFile) => writeFileSync(file, JSON.stringify(policy));
  const keyturn = async (words: readonly string[], cwd: string, file = policyFile) => {
    const command = ['--no', 'keyturn', ...words, '--json'];
    // Something would change; not all is well; not all is known, as of a management token whose secret says no expiry.
    const options = { env: { ...env, KEYTURN_POLICY: file }, cwd, codes: [0, 2, 6, 7] };
    return parse(await run('npx', command, options));
  };
  const running = started.move();
  return {
    sandbox,
    miniStack,
    aws,
    outputs,
    bootstrap(policy) {
      write(policy);
      return cdk('bootstrap', `aws://${ACCOUNT}/${REGION}`);
    },
    deploy(policy) {
      write(policy);
      return cdk('deploy', '--require-approval', 'never', '--outputs-file', outputsFile);
    },
    async deployBroken(policy) {
      const deployed = readFileSync(policyFile);
      write(policy);
      env.BROKEN = 'yes';
      try {
        await cdk('deploy', '--require-approval', 'never');
      } catch (error) {
        return String(error);
      } finally {
        delete env.BROKEN;
        writeFileSync(policyFile, deployed);
      }
      throw new Error('found the deployment done, expected it to fail');
    },
    destroy: () => cdk('destroy', '--force'),
    beside(policy) {
      const file = join(folder, 'beside.yaml');
      write(policy, file);
      const stock = (cwd: string, ...args: readonly string[]) =>
        run('npx', ['cdk', ...args, '-c', `policy=${file}`, '--output', join(folder, 'beside')], {
          env,
          cwd,
        });
      const deployFrom = (cwd: string) => stock(cwd, 'deploy', '--require-approval', 'never');
      return {
        deployFirstVersion: async () => deployFrom(await checkOutFirstVersion(REPOSITORY, folder)),
        deploy: () => deployFrom(REPOSITORY),
        destroy: () => stock(REPOSITORY, 'destroy', '--force'),
        invoke: (job, event) => invoke(`keyturn-${policy.owner}-${job}`, event),
        keyturn: (...args) => keyturn(args, REPOSITORY, file),
      };
    },
    async moveToPackage() {
      home = await makeApp(REPOSITORY, folder);
    },
    keyturn: (...args) => keyturn(args, home),
    async invoke(outputId, event) {
      const name = outputs()[outputId];
      if (name === undefined) throw new Error(`found no output ${outputId} of the stack`);
      return await invoke(name, event);
    },
    async shell(command, answerFile) {
      await run('sh', ['-c', command], { env, cwd: folder });
      return parse(readFileSync(join(folder, answerFile), 'utf8'));
    },
    close: () => running.disposeAsync(),
  };
}
