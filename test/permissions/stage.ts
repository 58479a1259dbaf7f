import { type RotateSecretRequest, SecretsManager } from '@aws-sdk/client-secrets-manager';
import { ENVIRONMENT } from '../../functions/environment.ts';
import type { Call } from '../../sandbox/interception.ts';
import { createHost, type Host } from '../../sandbox/lambda/host.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { VirtualClock } from '../../sandbox/virtual-clock.ts';
import { realFunction } from '../world/real-function.ts';
import type { AwsRequest } from './evaluate.ts';
import { ACCOUNT, JOBS, type Job, REGION } from './roles.ts';

export const MANAGEMENT_SECRET = 'influxdb/management';
const SERVICES: Readonly<Record<string, string>> = {
  'secrets-manager': 'secretsmanager',
  events: 'events',
};

/** A call that a function made, by which policy document it was deployed. */
export interface Recorded extends AwsRequest {
  readonly job: Job;
  readonly document: object;
}

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect
  readonly result?: any;
  readonly error?: { readonly errorType: string; readonly errorMessage: string };
}

type Run = (job: Job, event?: object) => Promise<Answer>;
export type Stage = Awaited<ReturnType<typeof openStage>>;

/** The real functions on the sandbox, and a record of every AWS call of theirs as IAM would be asked. */
export async function openStage() {
  const clock = new VirtualClock(Date.UTC(2026, 2, 2, 12));
  const sandbox = await startSandbox({
    clock,
    region: REGION,
    accountId: ACCOUNT,
    managementSecretName: MANAGEMENT_SECRET,
  });
  const { aws, cluster } = sandbox;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const secrets = new SecretsManager({ endpoint: aws.url, region: REGION, credentials });
  const functions = JOBS.map((name) => realFunction(name));
  const hosts: Host[] = [];
  const documents = new Map<string, object>();
  const recorded: Recorded[] = [];

  const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
  const secretNamed = (subject: string) =>
    Object.values(aws.state.secrets).find(({ name, arn: own }) => [name, own].includes(subject));

  /** IAM is asked about the ARN of the secret; of a name that no secret has, about the bare name. */
  function resourceOf({ operation, subject }: Call): string {
    if (operation === 'ListSecrets' || subject === undefined) return '*';
    if (operation === 'PutEvents') return arn('events', `event-bus/${subject}`);
    return secretNamed(subject)?.arn ?? arn('secretsmanager', `secret:${subject}`);
  }

  /** What else a call needs: tags at creation, and the secret's key on behalf of the caller. */
  function* requestsOf(call: Call, resource: string): Generator<AwsRequest> {
    yield { action: `${SERVICES[call.server]}:${call.operation}`, resource };
    if (call.operation === 'CreateSecret') yield { action: 'secretsmanager:TagResource', resource };
    const key = secretNamed(call.subject ?? '')?.kmsKeyId;
    const context = { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com` };
    const reads = ['GetSecretValue', 'PutSecretValue'].includes(call.operation);
    if (key && reads) yield { action: 'kms:Decrypt', resource: key, context };
    if (key && call.operation === 'PutSecretValue') {
      yield { action: 'kms:GenerateDataKey', resource: key, context };
    }
  }

  aws.intercept = (call, effect) => {
    const before = resourceOf(call);
    const reply = effect();
    const [, deployment = '', job = ''] = /^(.+)\/([a-z-]+)-\d+$/.exec(call.caller ?? '') ?? [];
    const document = documents.get(deployment);
    if (!document) return Promise.resolve(reply); // the test's own
    // A secret's ARN ends with six characters that nobody knows before it is made.
    const resource = call.operation === 'CreateSecret' ? resourceOf(call) : before;
    for (const request of requestsOf(call, resource)) {
      recorded.push({ ...request, job: job as Job, document });
    }
    return Promise.resolve(reply);
  };

  return {
    aws,
    cluster,
    secrets,
    recorded,
    wait: (ms: number) => clock.runUntil(clock.now() + ms),
    async manage(method: string, path: string, body: object) {
      const response = await fetch(`${cluster.url}/api/v0${path}`, {
        method,
        headers: {
          authorization: `Bearer ${cluster.managementToken}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
      return (await response.json()) as { readonly id: string; readonly accessToken: string };
    },
    /** Puts a policy beside the functions, as a deploy would. */
    deploy(document: object) {
      const deployment = `d${hosts.length}`;
      documents.set(deployment, document);
      const host = createHost({
        clock,
        functions,
        idPrefix: `${deployment}/`,
        policy: document,
        environment: {
          AWS_REGION: REGION,
          AWS_ACCESS_KEY_ID: 'test',
          AWS_SECRET_ACCESS_KEY: 'test',
          AWS_ENDPOINT_URL: aws.url,
          [ENVIRONMENT.eventBus]: 'default',
        },
      });
      hosts.push(host);
      return async (job: Job, event: object = {}) =>
        (await clock.waitFor(host.invoke(job, event))) as Answer;
    },
    /** RotateSecret, whose four steps invoke a deployment's function. */
    async rotateBySecretsManager(run: Run, request: RotateSecretRequest): Promise<void> {
      aws.rotationInvoker = async (_arn, event) => {
        const { error } = await run('secrets-manager-rotation', event);
        if (error) throw new Error(error.errorMessage);
      };
      await secrets.rotateSecret(request);
      await aws.settled();
    },
    async close() {
      await Promise.all(hosts.map((host) => host.close()));
      secrets.destroy();
      await sandbox.close();
    },
  };
}
