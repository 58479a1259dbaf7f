import { issueFirst } from './issue-first.ts';
import { FLOOR, type Servers, startServers, type Taken } from './serve.ts';
import type { Recorded } from './servers.ts';
import type { Row } from './table.ts';
import { policyOf, scheduledAt } from './world.ts';

const TOKENS = 100;
const IN_FLIGHT = 25;
const LATENCY_MS = 20;
/** The first warms both programs up. */
const ROUNDS = 4;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

type Program = ReturnType<Servers['run']>;

/** Both runs of the rotation of so many tokens: mint and arm, and half an hour later promote. */
async function rotate(servers: Servers, rotator: Program, tokens: number, ahead: number) {
  const taken: Taken[] = [];
  for (const at of [ahead, ahead + HOUR_MS / 2]) {
    await servers.set({ aheadMs: at });
    taken.push(
      await rotator.take({
        event: { scheduled: scheduledAt(Date.now() + at, HOUR_MS / 2) },
        ahead: at,
      }),
    );
  }
  const { rotated } = await servers.counted();
  if (rotated !== tokens) throw new Error(`${rotated} of ${tokens} tokens were rotated`);
  return sum(taken);
}

const sum = (taken: readonly Taken[]) => ({
  cpuMs: taken.reduce((total, { cpuMs }) => total + cpuMs, 0),
  wallMs: taken.reduce((total, { wallMs }) => total + wallMs, 0),
});

/** Calls that overlap are one stage: the next begins when all of it are answered. */
function stagesOf(calls: readonly (Recorded & { readonly index: number })[]) {
  const stages: (typeof calls)[number][][] = [];
  let firstEnd = 0;
  for (const call of calls.toSorted((a, b) => a.begun - b.begun)) {
    const last = stages.at(-1);
    if (last && call.begun < firstEnd) {
      last.push(call);
      firstEnd = Math.min(firstEnd, call.ended);
    } else {
      stages.push([call]);
      firstEnd = call.ended;
    }
  }
  return stages;
}

/** What the rotation of one token asks, to be asked again by another program. */
async function recordOne(servers: Servers, rotator: Program, ahead: number) {
  await servers.set({ record: true });
  await rotate(servers, rotator, 1, ahead);
  await servers.set({ record: false });
  const calls = (await servers.recorded())
    .filter(({ isOfRun }) => !isOfRun)
    .map((call, index) => ({ ...call, index }));
  await servers.replay(calls.map(({ status, answer }) => ({ status, answer })));
  return stagesOf(calls).map((stage) =>
    stage.map(({ server, index, method, headers, body }) => ({
      url: `${servers.urls[server]}/replay/${index}`,
      method,
      headers,
      body,
    })),
  );
}

/** As fast as rotations go over TLS, where nothing holds them back but the answers' 20 ms, and what they take of the CPU. */
export async function measureRotations(): Promise<readonly Row[]> {
  const issued = await issueFirst();
  const servers = await startServers();
  try {
    const rotatorOf = (tokens: number) => {
      const document = {
        ...policyOf(servers.urls.cluster, tokens),
        concurrency: IN_FLIGHT,
        secretWritesPerSecond: 50,
      };
      const { environment } = servers.deploy('rotate', document);
      return servers.run({ ...environment, BENCH_WAITS: 'none', BENCH_DATES: 'ahead' });
    };
    await servers.set({ latencyMs: LATENCY_MS });
    await servers.seed(issued, 1);
    const one = rotatorOf(1);
    const stages = await recordOne(servers, one, 31 * DAY_MS);
    one.end();
    const rotator = rotatorOf(TOKENS);
    const { environment } = servers.deploy('rotate', policyOf(servers.urls.cluster, 1));
    const floor = servers.run(environment, FLOOR);
    const ours: ReturnType<typeof sum>[] = [];
    const floors: ReturnType<typeof sum>[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await servers.seed(issued, TOKENS);
      ours.push(await rotate(servers, rotator, TOKENS, 31 * DAY_MS + round * HOUR_MS));
      floors.push(await floor.take({ stages, tokens: TOKENS, inFlight: IN_FLIGHT }));
    }
    const least = (taken: typeof ours, what: 'cpuMs' | 'wallMs') =>
      Math.min(...taken.slice(1).map((each) => each[what]));
    const calls = stages.flat().length;
    const perSecond = (taken: typeof ours) => (TOKENS * 1_000) / least(taken, 'wallMs');
    return [
      {
        figure: 'CPU of a rotation, warm, over TLS',
        unit: 'ms',
        value: least(ours, 'cpuMs') / TOKENS,
        floor: least(floors, 'cpuMs') / TOKENS,
        goal: { of: 'this', atMost: 6, noise: 0.1 },
        note: `floor: its ${calls} calls by node:https; best of ${ROUNDS - 1} rounds of ${TOKENS} tokens`,
      },
      {
        figure: `rotations a second, ${IN_FLIGHT} in flight, ${LATENCY_MS} ms a call, over TLS`,
        unit: '/s',
        value: perSecond(ours),
        floor: perSecond(floors),
        goal: { of: 'floor', atLeast: 0.6, noise: 0.1 },
        note: `both runs of each, no limiter; floor: the same ${calls} calls in ${stages.length} steps by node:https`,
      },
    ];
  } finally {
    await servers.close();
  }
}
