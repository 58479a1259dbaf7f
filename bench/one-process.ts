import { spawnSync } from 'node:child_process';

/** CPU of a process until it says so, in milliseconds. Its program prints microseconds. Undefined: there is no such program here. */
export function cpuMs(
  [command, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): number | undefined {
  const { stdout, stderr, status, error } = spawnSync(command, args, { encoding: 'utf8', env });
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOENT') return undefined;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return Number(stdout.trim().split('\n').at(-1)) / 1_000;
}

const TOLD =
  'const {user,system}=process.cpuUsage();require("node:fs").writeSync(1,"\\n"+(user+system));process.exit(0)';

/** CPU of a Node.js until it has run a program; with `awaits`, until that is resolved. */
export function nodeCpuMs(program: string, env: NodeJS.ProcessEnv, awaits = '0'): number {
  const told = awaits === '0' ? `${program};${TOLD}` : `${program};(${awaits}).then(()=>{${TOLD}})`;
  const ms = cpuMs([process.execPath, '-e', told], env);
  if (ms === undefined) throw new Error('Node.js is not where it was');
  return ms;
}

/** The least of many rounds, in which all take turns: what disturbs one disturbs the others, too. */
export function leastOf<Name extends string>(
  rounds: number,
  measured: Readonly<Record<Name, () => number | undefined>>,
): Readonly<Record<Name, number>> {
  const names = Object.keys(measured) as Name[];
  const least = Object.fromEntries(names.map((name) => [name, Number.POSITIVE_INFINITY]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const ms = measured[name]();
      least[name] = Math.min(least[name] ?? 0, ms ?? Number.POSITIVE_INFINITY);
    }
  }
  return least as Record<Name, number>;
}
