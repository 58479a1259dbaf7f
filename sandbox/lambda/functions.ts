import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type References, resolveIntrinsics } from './intrinsics.ts';

export interface LambdaFunction {
  /** `rotate`, `reap`, ... */
  readonly name: string;
  readonly logicalId: string;
  readonly functionName: string;
  readonly assetDirectory: string;
  readonly assetHash: string;
  /** `index.handler` */
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  /** Of its EventInvokeConfig. */
  readonly retryAttempts: number;
  readonly maximumAgeMs: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** In the order in which they are looked for in a logical id. Other functions are helpers of the CDK. */
const names = ['secrets-manager-rotation', 'rotate', 'reap', 'enforce', 'revoke'];

const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      properties: z
        .object({ templateFile: z.string().optional(), stackName: z.string().optional() })
        .optional(),
    }),
  ),
});
const assetsSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string().optional() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string().optional() })),
    }),
  ),
});
const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});
/** Timeout and MemorySize have the defaults of AWS::Lambda::Function (AWS CloudFormation reference). */
const functionSchema = z.object({
  FunctionName: z.unknown().optional(),
  Handler: z.string(),
  Timeout: z.number().default(3),
  MemorySize: z.number().default(128),
  Code: z.object({ S3Key: z.string() }),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }).optional(),
});

const invokeConfigSchema = z.object({
  FunctionName: z.object({ Ref: z.string() }),
  MaximumRetryAttempts: z.number().optional(),
  MaximumEventAgeInSeconds: z.number().optional(),
});

/**
 * Keyturn's functions in the output of `cdk synth`. Throws if there are several stacks and none is
 * named, or if the stack has no function of Keyturn.
 */
export function readFunctions(
  assemblyDirectory: string,
  stackName?: string,
  references: References = {},
): readonly LambdaFunction[] {
  const read = (file: string): unknown =>
    JSON.parse(readFileSync(join(assemblyDirectory, file), 'utf8'));
  const stack = pickStack(manifestSchema.parse(read('manifest.json')), stackName);
  const { files } = assetsSchema.parse(read(`${stack.id}.assets.json`));
  const { Resources } = templateSchema.parse(read(stack.templateFile));

  const functions = Object.entries(Resources).flatMap(([logicalId, { Type, Properties }]) => {
    const name = names.find((one) => logicalId.includes(pascalCase(one)));
    if (Type !== 'AWS::Lambda::Function' || name === undefined) return [];
    const properties = functionSchema.parse(Properties);
    const { assetHash, path } = findAsset(files, properties.Code.S3Key);
    return [
      {
        name,
        logicalId,
        functionName: resolveIntrinsics(properties.FunctionName ?? logicalId, references),
        assetDirectory: join(assemblyDirectory, path),
        assetHash,
        handler: properties.Handler,
        timeoutMs: properties.Timeout * 1000,
        memoryMb: properties.MemorySize,
        ...asynchronous(Resources, logicalId),
        environment: resolveAll(properties.Environment?.Variables ?? {}, references),
      },
    ];
  });
  if (functions.length === 0) throw new Error(`${stack.templateFile} has no function of Keyturn`);
  return functions;
}

/** Defaults: AWS::Lambda::EventInvokeConfig (AWS CloudFormation reference). */
function asynchronous(resources: z.infer<typeof templateSchema>['Resources'], logicalId: string) {
  const configuration = Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::Lambda::EventInvokeConfig')
    .map(({ Properties }) => invokeConfigSchema.parse(Properties))
    .find(({ FunctionName }) => FunctionName.Ref === logicalId);
  const { MaximumRetryAttempts = 2, MaximumEventAgeInSeconds = 21_600 } = configuration ?? {};
  return { retryAttempts: MaximumRetryAttempts, maximumAgeMs: MaximumEventAgeInSeconds * 1_000 };
}

function pickStack({ artifacts }: z.infer<typeof manifestSchema>, stackName: string | undefined) {
  const stacks = Object.entries(artifacts)
    .filter(([, { type }]) => type === 'aws:cloudformation:stack')
    .map(([id, { properties }]) => ({
      id,
      stackName: properties?.stackName ?? id,
      templateFile: properties?.templateFile ?? `${id}.template.json`,
    }));
  const fitting = stacks.filter(
    (stack) => stackName === undefined || stackName === stack.stackName || stackName === stack.id,
  );
  const [stack] = fitting;
  if (stack !== undefined && fitting.length === 1) return stack;
  const there = stacks.map((one) => one.stackName).join(', ');
  throw new Error(`Name one stack${stackName ? `, not ${stackName}` : ''}: there are ${there}`);
}

function findAsset(files: z.infer<typeof assetsSchema>['files'], objectKey: string) {
  for (const [assetHash, { source, destinations }] of Object.entries(files)) {
    const fits = Object.values(destinations).some((one) => one.objectKey === objectKey);
    if (fits && source.path !== undefined) return { assetHash, path: source.path };
  }
  throw new Error(`No asset goes to ${objectKey}`);
}

function resolveAll(variables: Record<string, unknown>, references: References) {
  return Object.fromEntries(
    Object.entries(variables).map(([key, value]) => [key, resolveIntrinsics(value, references)]),
  );
}

function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|-)(.)/g, (_match, letter: string) => letter.toUpperCase());
}
