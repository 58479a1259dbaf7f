import type { Call } from '../../sandbox/interception.ts';
import type { Job } from '../world/jobs.ts';
import type { World } from '../world/world.ts';
import type { AwsRequest } from './evaluate.ts';
import { ACCOUNT, REGION } from './roles.ts';

const SERVICES: Readonly<Record<string, string>> = {
  'secrets-manager': 'secretsmanager',
  events: 'events',
  scheduler: 'scheduler',
  kms: 'kms',
};

/** A request to AWS by a function, and the policy that it was deployed with. */
export interface Recorded extends AwsRequest {
  readonly job: Job;
  readonly policy: object;
}

const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;

const secretNamed = ({ aws }: World, subject: string) =>
  Object.values(aws.state.secrets).find(({ name, arn: own }) => [name, own].includes(subject));

/** A key is asked about by its ARN, however it was named. */
function keyOf({ aws }: World, name: string): { readonly arn: string; readonly aliases: string[] } {
  const alias = /(?:^|:)(alias\/.+)$/.exec(name)?.[1];
  const id = alias === undefined ? name : aws.state.aliases[alias];
  const found = Object.values(aws.state.keys).find((key) => id === key.id || id === key.arn);
  const aliases = Object.entries(aws.state.aliases).filter(([, of]) => of === found?.id);
  return { arn: found?.arn ?? name, aliases: aliases.map(([each]) => each) };
}

/** IAM is asked about the ARN of the secret; of a name that no secret has, about the bare name. */
function resourceOf(world: World, { server, operation, subject }: Call): string {
  if (server === 'scheduler') return arn('scheduler', `schedule/${subject}`);
  if (server === 'kms') return keyOf(world, subject ?? '').arn;
  if (operation === 'ListSecrets' || subject === undefined) return '*';
  if (operation === 'PutEvents') return arn('events', `event-bus/${subject}`);
  return secretNamed(world, subject)?.arn ?? arn('secretsmanager', `secret:${subject}`);
}

type Tags = Readonly<Record<string, string>>;

/** The tags that a call sets anew, changes or takes off. */
const changed = (before: Tags, after: Tags) => ({
  'aws:TagKeys': Object.keys({ ...before, ...after }).filter((key) => before[key] !== after[key]),
});

/** What else a call needs: tags at creation, and the secret's key on behalf of the caller. */
function* requestsOf(
  world: World,
  call: Call,
  { resource, before }: { readonly resource: string; readonly before: Tags },
): Generator<AwsRequest> {
  const tags = changed(before, secretNamed(world, call.subject ?? '')?.tags ?? {});
  yield { action: `${SERVICES[call.server]}:${call.operation}`, resource, context: tags };
  if (call.operation === 'CreateSecret') {
    yield { action: 'secretsmanager:TagResource', resource, context: tags };
  }
  const secret = secretNamed(world, call.subject ?? '');
  if (secret?.kmsKeyId === undefined) return;
  const { arn: key, aliases } = keyOf(world, secret.kmsKeyId);
  const context = {
    'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com`,
    'kms:EncryptionContext:SecretARN': secret.arn,
    'kms:ResourceAliases': aliases,
  };
  const reads = ['GetSecretValue', 'PutSecretValue'].includes(call.operation);
  if (reads) yield { action: 'kms:Decrypt', resource: key, context };
  if (call.operation === 'PutSecretValue') {
    yield { action: 'kms:GenerateDataKey', resource: key, context };
  }
}

/** Notes every AWS call of the functions as IAM would be asked about it. The record grows. */
export function recordRequests(world: World): readonly Recorded[] {
  const recorded: Recorded[] = [];
  world.watch((call, effect) => {
    const origin = world.origin(call);
    if (!origin || !(call.server in SERVICES)) return effect();
    const known = resourceOf(world, call);
    const before = secretNamed(world, call.subject ?? '')?.tags ?? {};
    const reply = effect();
    // A secret's ARN ends with six characters that nobody knows before it is made.
    const resource = call.operation === 'CreateSecret' ? resourceOf(world, call) : known;
    for (const request of requestsOf(world, call, { resource, before })) {
      recorded.push({ ...request, ...origin });
    }
    return reply;
  });
  return recorded;
}
