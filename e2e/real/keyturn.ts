import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readFunctions } from '../../sandbox/lambda/functions.ts';
import { createHost } from '../../sandbox/lambda/host.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { STACK } from '../policy.ts';
import { run } from '../processes.ts';

const REPOSITORY = resolve(import.meta.dirname, '../..');

export interface Keyturn {
  /** Runs a function by its short name, to its end. Throws what it throws. */
  invoke(name: string, event: object): Promise<unknown>;
  close(): Promise<void>;
}

/** The functions that `cdk deploy` would upload, in processes of their own and in real time. */
export async function deploy(
  { aws, clock }: Sandbox,
  policy: object,
  folder: string,
): Promise<Keyturn> {
  const policyFile = join(folder, 'keyturn.yaml');
  const assembly = join(folder, 'cdk.out');
  writeFileSync(policyFile, JSON.stringify(policy));
  const synth = ['cdk', 'synth', '--quiet', '-c', `policy=${policyFile}`, '--output', assembly];
  await run('npx', synth, { cwd: REPOSITORY });
  const host = createHost({
    clock,
    functions: readFunctions(assembly, STACK),
    environment: { AWS_REGION: aws.region, AWS_ENDPOINT_URL: aws.url },
    credentialsOf: aws.credentialsOf,
  });
  return {
    async invoke(name, event) {
      const answer = await host.invoke(name, event);
      if ('error' in answer) throw new Error(`${name}: ${JSON.stringify(answer.error)}`);
      return answer.result;
    },
    close: () => host.close(),
  };
}
