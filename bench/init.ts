import '../sandbox/require-node-24.ts';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, ENTRIES } from '../lib/bundle.ts';
import { readPolicyFile } from '../lib/policy-file.ts';

/**
 * What a cold start of each function costs until its module is loaded, in CPU, beside a bare Node.js: the best of many rounds, in
 * which all take turns. The ratio travels; milliseconds are this machine's.
 */
const ROUNDS = 25;
const print = (text: string) => process.stdout.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), 'keyturn-init-'));
const policyFile = readPolicyFile('keyturn.example.yaml');

/** CPU of a process until it has run a program, in milliseconds. */
function cpuMs(program: string, environment: Readonly<Record<string, string>>): number {
  const told = `${program};const {user,system}=process.cpuUsage();require("node:fs").writeSync(1,String(user+system));process.exit(0)`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', told], {
    encoding: 'utf8',
    env: environment,
  });
  if (status !== 0) throw new Error(`a process ended with ${status}: ${stderr}`);
  return Number(stdout) / 1_000;
}

const functions = ENTRIES.map((name) => {
  const root = join(folder, name);
  mkdirSync(root);
  bundle(name, policyFile, root);
  const environment = {
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_LAMBDA_FUNCTION_NAME: name,
    LAMBDA_TASK_ROOT: root,
  };
  const file = join(root, 'index.js');
  return { name, environment, file, best: Number.POSITIVE_INFINITY };
});
let bare = Number.POSITIVE_INFINITY;
for (let round = 0; round < ROUNDS; round += 1) {
  bare = Math.min(bare, cpuMs('0', {}));
  for (const each of functions) {
    const ms = cpuMs(`require(${JSON.stringify(each.file)})`, each.environment);
    each.best = Math.min(each.best, ms);
  }
}
for (const { name, file, best } of functions) {
  const kb = Math.round(statSync(file).size / 1_000);
  print(
    `${name.padEnd(26)} ${best.toFixed(0).padStart(4)} ms, bare node ${bare.toFixed(0)} ms: ${(best / bare).toFixed(2)}; ${kb} KB`,
  );
}
rmSync(folder, { recursive: true });
