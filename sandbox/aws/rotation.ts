import { z } from 'zod';
import { AwsError, invalidParameter, invalidRequest } from './aws-error.ts';
import { attach, detach, holderOf } from './labels.ts';
import { members, type Operation, operation, requireToken } from './request.ts';
import type { Rotation, RotationRules, Secret } from './state.ts';
import type { Store } from './store.ts';
import { addVersion, hasValue } from './versions.ts';

const HOUR_MS = 3_600_000;
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
/**
 * AWS retries a failed rotation "multiple times"; the number is not published:
 * docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda.html
 */
const ATTEMPTS = 3;

export interface RotationEvent {
  readonly Step: (typeof STEPS)[number];
  readonly SecretId: string;
  readonly ClientRequestToken: string;
  readonly RotationToken: string;
}

/** Invokes the rotation function and waits for it; rejects if the function fails. */
export type RotationInvoker = (lambdaArn: string, event: RotationEvent) => Promise<void>;

export interface Rotations {
  readonly operations: Readonly<Record<string, Operation>>;
  /** Resolves when no rotation is running. */
  settled(): Promise<void>;
}

/** Rotation on request. The schedule is stored and shown, but starts nothing. */
export function createRotations(
  invoker: (lambdaArn: string) => RotationInvoker | undefined,
): Rotations {
  const runningRotations = new Set<Promise<void>>();
  const start = (rotation: () => Promise<void>) => {
    const running = Promise.resolve()
      .then(rotation)
      .finally(() => runningRotations.delete(running));
    runningRotations.add(running);
  };

  const rotateSecret = operation(rotateRequest, (store, input) => {
    const token = requireToken(input.ClientRequestToken, 'InvalidParameterException');
    refuseBadRules(input.RotationRules);
    const secret = store.findWritable(input.SecretId);
    const lambdaArn = input.RotationLambdaARN ?? secret.rotation?.lambdaArn;
    if (lambdaArn === undefined)
      throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
    const invoke = invoker(lambdaArn);
    if (invoke === undefined)
      throw new AwsError(
        'AccessDeniedException',
        'Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.',
      );
    const answer = { ARN: secret.arn, Name: secret.name, VersionId: token };
    if (repeats(secret, token)) return answer;
    refuseUnfinished(secret, token);
    const rules = input.RotationRules ?? secret.rotation?.rules ?? {};
    const rotation: Rotation = {
      enabled: true,
      lambdaArn,
      rules,
      rotatingTo: token,
      failure: undefined,
      rotatedAt: secret.rotation?.rotatedAt,
      nextAt: nextAt(rules, store.now()),
    };
    store.save(withPlaceholder({ ...secret, rotation }, token, store.now()));
    const run = input.RotateImmediately ? rotate : testOnly;
    start(() => run({ store, invoke, arn: secret.arn, token }));
    return answer;
  });

  return {
    operations: { RotateSecret: rotateSecret, CancelRotateSecret: cancelRotateSecret },
    settled: async () => {
      while (runningRotations.size > 0) await Promise.all(runningRotations);
    },
  };
}

const rotateRequest = z.object({
  SecretId: members.secretId,
  ClientRequestToken: members.token,
  RotationLambdaARN: z.string().max(2048).optional(),
  RotationRules: z
    .object({
      AutomaticallyAfterDays: z.number().int().min(1).max(1000).optional(),
      Duration: z
        .string()
        .regex(/^[0-9]+h$/)
        .optional(),
      ScheduleExpression: z.string().min(1).max(256).optional(),
    })
    .optional(),
  RotateImmediately: z.boolean().default(true),
});

const cancelRotateSecret = operation(z.object({ SecretId: members.secretId }), (store, input) => {
  const secret = store.findWritable(input.SecretId);
  if (secret.rotation === undefined)
    throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
  const rotation = { ...secret.rotation, enabled: false, rotatingTo: undefined };
  store.save({ ...secret, rotation });
  // AWSPENDING stays on the unfinished version and blocks rotations until somebody removes it
  // (CancelRotateSecret, AWS Secrets Manager API Reference).
  const pending = holderOf(secret.versions, 'AWSPENDING');
  return { ARN: secret.arn, Name: secret.name, VersionId: pending };
});

function refuseBadRules(rules: RotationRules | undefined) {
  if (rules?.AutomaticallyAfterDays !== undefined && rules.ScheduleExpression !== undefined)
    throw invalidParameter(
      "You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules.",
    );
}

const repeats = (secret: Secret, token: string) =>
  secret.rotation?.rotatingTo === token ||
  secret.versions[token]?.stages.includes('AWSCURRENT') === true;

function refuseUnfinished(secret: Secret, token: string) {
  const pending = holderOf(secret.versions, 'AWSPENDING');
  const finished = pending === undefined || pending === holderOf(secret.versions, 'AWSCURRENT');
  if (!finished && pending !== token)
    throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.");
}

function withPlaceholder(secret: Secret, token: string, now: number): Secret {
  if (secret.versions[token] !== undefined)
    return { ...secret, versions: attach(secret.versions, 'AWSPENDING', token) };
  const placeholder = { id: token, secretString: undefined, secretBinary: undefined };
  const made = addVersion(secret, placeholder, ['AWSPENDING'], now);
  // A placeholder that is the first version does not get AWSCURRENT, because it has no value.
  return Object.keys(secret.versions).length === 0
    ? { ...made, versions: detach(made.versions, 'AWSCURRENT') }
    : made;
}

/** A rotation of the secret `arn` to the version `token`. */
interface StartedRotation {
  readonly store: Store;
  readonly invoke: RotationInvoker;
  readonly arn: string;
  readonly token: string;
}

async function rotate(started: StartedRotation) {
  let failure: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS && continuing(started); attempt += 1) {
    failure = await runSteps(started, STEPS);
    if (failure === undefined) break;
  }
  end(started, (secret, rotation) => {
    if (failure !== undefined) return { ...secret, rotation: { ...rotation, failure } };
    const rotatedAt = started.store.now();
    return {
      ...secret,
      versions: detach(secret.versions, 'AWSPENDING'),
      rotation: { ...rotation, rotatedAt, nextAt: nextAt(rotation.rules, rotatedAt) },
    };
  });
}

/**
 * RotateImmediately=false: only testSecret, on a placeholder that is then removed (RotateSecret,
 * API Reference).
 */
async function testOnly(started: StartedRotation) {
  const failure = await runSteps(started, ['testSecret']);
  end(started, (secret, rotation) => {
    const { [started.token]: tested, ...others } = secret.versions;
    const versions = tested !== undefined && hasValue(tested) ? secret.versions : others;
    return { ...secret, versions, rotation: { ...rotation, failure } };
  });
}

async function runSteps(
  started: StartedRotation,
  steps: readonly RotationEvent['Step'][],
): Promise<string | undefined> {
  const { store, invoke, arn, token } = started;
  try {
    for (const Step of steps) {
      const rotation = continuing(started);
      if (rotation === undefined) return undefined;
      const RotationToken = store.draw();
      await invoke(rotation.lambdaArn, {
        Step,
        SecretId: arn,
        ClientRequestToken: token,
        RotationToken,
      });
    }
  } catch (error) {
    return String(error);
  }
  const promoted = continuing(started) === undefined || isCurrent(store.find(arn), token);
  return steps.length === 1 || promoted ? undefined : 'finishSecret left AWSCURRENT where it was';
}

const isCurrent = (secret: Secret, token: string) =>
  secret.versions[token]?.stages.includes('AWSCURRENT') === true;

/** The rotation, unless it was cancelled or abandoned, or its secret was deleted. */
function continuing({ store, arn, token }: StartedRotation): Rotation | undefined {
  const secret = store.list(0).find((one) => one.arn === arn && one.deletedAt === undefined);
  return secret?.rotation?.rotatingTo === token ? secret.rotation : undefined;
}

function end(started: StartedRotation, change: (secret: Secret, rotation: Rotation) => Secret) {
  const { store, arn } = started;
  const rotation = continuing(started);
  if (rotation !== undefined)
    store.save(change(store.find(arn), { ...rotation, rotatingTo: undefined }));
}

/** A cron() expression is stored, not computed. */
function nextAt(rules: RotationRules, from: number): number | undefined {
  if (rules.AutomaticallyAfterDays !== undefined)
    return from + rules.AutomaticallyAfterDays * 24 * HOUR_MS;
  const rate = /^rate\((\d+) (hour|day)s?\)$/.exec(rules.ScheduleExpression ?? '');
  if (rate === null) return undefined;
  return from + Number(rate[1]) * (rate[2] === 'day' ? 24 * HOUR_MS : HOUR_MS);
}
