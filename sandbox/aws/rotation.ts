import { z } from 'zod';
import { AwsError, invalidParameter, invalidRequest } from './aws-error.ts';
import { attach, detach, holderOf } from './labels.ts';
import { members, type Operation, operation, requireToken } from './request.ts';
import type { Rotation, RotationRules, Secret } from './state.ts';
import type { Store } from './store.ts';
import { addVersion, hasValue } from './versions.ts';

const HOUR_MS = 3_600_000;
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
/** AWS retries a failed rotation as a whole "multiple times"; how often is not published. */
const ATTEMPTS = 3;

export interface RotationEvent {
  readonly Step: (typeof STEPS)[number];
  readonly SecretId: string;
  readonly ClientRequestToken: string;
  readonly RotationToken: string;
}

/** Invokes the rotation function and waits for it; rejects if it failed. */
export type RotationInvoker = (lambdaArn: string, event: RotationEvent) => Promise<void>;

export interface Rotations {
  readonly operations: Readonly<Record<string, Operation>>;
  /** Resolves when no rotation is under way. */
  settled(): Promise<void>;
}

/** Rotation on request. The schedule is kept and shown, and fires nothing. */
export function createRotations(invoker: () => RotationInvoker | undefined): Rotations {
  const underWay = new Set<Promise<void>>();
  const start = (rotation: () => Promise<void>) => {
    const running = Promise.resolve()
      .then(rotation)
      .finally(() => underWay.delete(running));
    underWay.add(running);
  };

  const rotateSecret = operation(rotateRequest, (store, input) => {
    const token = requireToken(input.ClientRequestToken, 'InvalidParameterException');
    refuseBadRules(input.RotationRules);
    const secret = store.findUsable(input.SecretId);
    const lambdaArn = input.RotationLambdaARN ?? secret.rotation?.lambdaArn;
    if (lambdaArn === undefined)
      throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
    const invoke = invoker();
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
    start(() => run(store, invoke, secret.arn, token));
    return answer;
  });

  return {
    operations: { RotateSecret: rotateSecret, CancelRotateSecret: cancelRotateSecret },
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
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
  const secret = store.findUsable(input.SecretId);
  if (secret.rotation === undefined)
    throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
  const rotation = { ...secret.rotation, enabled: false, rotatingTo: undefined };
  store.save({ ...secret, rotation });
  // AWSPENDING stays on the half-made version, and blocks rotations until somebody takes it off.
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
  // A placeholder never becomes AWSCURRENT by being first: it has no value to give.
  return Object.keys(secret.versions).length === 0
    ? { ...made, versions: detach(made.versions, 'AWSCURRENT') }
    : made;
}

async function rotate(store: Store, invoke: RotationInvoker, arn: string, token: string) {
  let failure: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS && goesOn(store, arn, token); attempt += 1) {
    failure = await runSteps(store, invoke, arn, token, STEPS);
    if (failure === undefined) break;
  }
  end(store, arn, token, (secret, rotation) => {
    if (failure !== undefined) return { ...secret, rotation: { ...rotation, failure } };
    const rotatedAt = store.now();
    return {
      ...secret,
      versions: detach(secret.versions, 'AWSPENDING'),
      rotation: { ...rotation, rotatedAt, nextAt: nextAt(rotation.rules, rotatedAt) },
    };
  });
}

/** RotateImmediately=false: testSecret alone, on a placeholder that vanishes afterwards. */
async function testOnly(store: Store, invoke: RotationInvoker, arn: string, token: string) {
  const failure = await runSteps(store, invoke, arn, token, ['testSecret']);
  end(store, arn, token, (secret, rotation) => {
    const { [token]: tested, ...others } = secret.versions;
    const versions = tested !== undefined && hasValue(tested) ? secret.versions : others;
    return { ...secret, versions, rotation: { ...rotation, failure } };
  });
}

async function runSteps(
  store: Store,
  invoke: RotationInvoker,
  arn: string,
  token: string,
  steps: readonly RotationEvent['Step'][],
): Promise<string | undefined> {
  try {
    for (const Step of steps) {
      const rotation = goesOn(store, arn, token);
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
  const promoted = goesOn(store, arn, token) === undefined || isCurrent(store.find(arn), token);
  return steps.length === 1 || promoted ? undefined : 'finishSecret left AWSCURRENT where it was';
}

const isCurrent = (secret: Secret, token: string) =>
  secret.versions[token]?.stages.includes('AWSCURRENT') === true;

/** The rotation to this version, unless it was cancelled, abandoned, or its secret deleted. */
function goesOn(store: Store, arn: string, token: string): Rotation | undefined {
  const secret = store.list(0).find((one) => one.arn === arn && one.deletedAt === undefined);
  return secret?.rotation?.rotatingTo === token ? secret.rotation : undefined;
}

function end(
  store: Store,
  arn: string,
  token: string,
  change: (secret: Secret, rotation: Rotation) => Secret,
) {
  const rotation = goesOn(store, arn, token);
  if (rotation !== undefined)
    store.save(change(store.find(arn), { ...rotation, rotatingTo: undefined }));
}

/** A cron() expression is kept, not computed. */
function nextAt(rules: RotationRules, from: number): number | undefined {
  if (rules.AutomaticallyAfterDays !== undefined)
    return from + rules.AutomaticallyAfterDays * 24 * HOUR_MS;
  const rate = /^rate\((\d+) (hour|day)s?\)$/.exec(rules.ScheduleExpression ?? '');
  if (rate === null) return undefined;
  return from + Number(rate[1]) * (rate[2] === 'day' ? 24 * HOUR_MS : HOUR_MS);
}
