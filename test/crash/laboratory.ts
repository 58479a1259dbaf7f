import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import type { AwsState } from '../../sandbox/aws/state.ts';
import type { ClusterState } from '../../sandbox/cluster/state.ts';
import type { Call, Interceptor, Reply } from '../../sandbox/interception.ts';
import { createHost } from '../../sandbox/lambda/host.ts';
import type { Answer } from '../../sandbox/lambda/instance.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { VirtualClock } from '../../sandbox/virtual-clock.ts';
import { realFunction } from '../world/real-function.ts';
import { shiftInstants } from '../world/shift-instants.ts';
import { emptyHistory, type History, note } from './history.ts';
import { type Terms, violations } from './invariants.ts';
import { heldStaysDead, leaks } from './outcomes.ts';
import { type View, viewOf } from './view.ts';

export type FunctionName = 'rotate' | 'reap';

/** Both systems at one instant, and what had happened. */
export interface Saved {
  readonly at: number;
  readonly cluster: ClusterState;
  readonly aws: AwsState;
  readonly history: History;
}

/** Stands in the way of one function's calls, the first being number 1. */
export type Obstacle = (
  call: Call,
  number: number,
  effect: () => Reply,
) => Promise<Reply | 'reset'>;

export interface Ran {
  readonly answer: Answer;
  readonly calls: number;
}

const START = Date.parse('2026-11-01T00:00:00Z');
const names: readonly FunctionName[] = ['rotate', 'reap'];

/** Short lives, so that little time has to pass; one grant, so that probes come in one order. */
const documentFor = (clusterUrl: string) => ({
  owner: 'demo',
  cluster: { url: clusterUrl, managementToken: 'keyturn/management-token' },
  defaults: {
    rotateEvery: '2d',
    gracePeriod: '1h',
    renewBefore: '6h',
    quarantine: '1h',
    expiresAfter: '4d',
  },
  limits: { percent: 30, tokens: 1 },
  databases: [{ name: 'metrics' }],
  tokens: { telegraf: { permissions: { write: ['metrics'] } } },
});

export type Laboratory = Awaited<ReturnType<typeof openLaboratory>>;

/** The real handlers' bundles in processes of their own, on a sandbox whose every call is checked. */
export async function openLaboratory() {
  const clock = new VirtualClock(START);
  let drawn = 0;
  const sandbox = await startSandbox({
    clock,
    activationDelayMs: 5_000,
    random: () => `laboratory ${++drawn}`,
  });
  const { cluster, aws } = sandbox;
  const document = documentFor(cluster.url);
  const policy = parsePolicy(document);
  const host = createHost({
    clock,
    functions: names.map((name) => realFunction(name)),
    policy: document,
    environment: {
      AWS_REGION: aws.region,
      AWS_ACCESS_KEY_ID: 'laboratory',
      AWS_SECRET_ACCESS_KEY: 'laboratory',
      AWS_ENDPOINT_URL: aws.url,
    },
  });

  let history = emptyHistory();
  let found: string[] = [];
  let obstacle: Obstacle | undefined;
  let subject: { readonly caller: string; calls: number } | undefined;
  let running = 0;
  let readLines = 0;
  let readEvents = 0;

  const terms: Terms = {
    gracePeriod: policy.defaults.gracePeriod,
    limits: policy.limits,
    accepts: (string) => cluster.accepts(string, 'write', 'metrics'),
  };
  const view = (): View => viewOf(cluster.state, aws.state, clock.now());

  const intercept: Interceptor = async (call, takeEffect) => {
    const effect = (): Reply => {
      const before = view();
      const reply = takeEffect();
      const step = { call, reply, before, after: view() };
      note(history, step);
      found.push(...violations(history, step, terms));
      return reply;
    };
    if (!obstacle || call.caller === undefined) return effect();
    subject ??= { caller: call.caller, calls: 0 };
    if (subject.caller !== call.caller) return effect();
    subject.calls += 1;
    return await obstacle(call, subject.calls, effect);
  };
  cluster.intercept = intercept;
  aws.intercept = intercept;

  const strings = () => [cluster.managementToken, ...Object.values(history.strings)];

  const checkTexts = (answer: Answer) => {
    const lines = host.logs.slice(readLines).map(({ text }) => text);
    readLines = host.logs.length;
    const events = aws.state.events.slice(readEvents).map((event) => JSON.stringify(event));
    readEvents = aws.state.events.length;
    const secrets = Object.values(aws.state.secrets).map(({ tags, description }) =>
      JSON.stringify({ tags, description }),
    );
    const tokens = cluster.state.tokens.map(({ description }) => description);
    found.push(
      ...leaks(strings(), [...lines, ...events, ...secrets, ...tokens, JSON.stringify(answer)]),
    );
  };

  const invoke = async (name: FunctionName, event: object = {}): Promise<Answer> => {
    // What is kept by caller is kept by run; beside another run, the one that waits goes on.
    if (running === 0) history = { ...history, taken: {}, looked: {} };
    running += 1;
    const before = view();
    const answer = await clock.waitFor(host.invoke(name, event));
    running -= 1;
    checkTexts(answer);
    const sawAll = aws.readLagMs === 0 && aws.listLagMs === 0;
    if (name === 'reap' && 'result' in answer && sawAll) {
      found.push(...heldStaysDead(before, view(), history));
    }
    return answer;
  };

  return {
    clock,
    cluster,
    aws,
    host,
    view,
    invoke,
    get history() {
      return history;
    },
    get violations(): readonly string[] {
      return found;
    },
    /** Nobody does anything for so long. */
    pass: (ms: number) => clock.runUntil(clock.now() + ms),
    /** One run whose calls meet an obstacle. */
    async invokeAgainst(next: Obstacle, name: FunctionName, event: object): Promise<Ran> {
      obstacle = next;
      subject = undefined;
      const answer = await invoke(name, event);
      // Set by the interceptor meanwhile, which the compiler cannot know.
      const calls = (subject as { calls: number } | undefined)?.calls ?? 0;
      obstacle = undefined;
      return { answer, calls };
    },
    save: (): Saved => ({
      at: clock.now(),
      cluster: cluster.snapshot(),
      aws: aws.snapshot(),
      history: structuredClone(history),
    }),
    /** The same state, later: time cannot go back in processes that stay warm. */
    async restore(saved: Saved): Promise<void> {
      const by = Math.ceil((clock.now() - saved.at) / 1_000) * 1_000;
      await clock.runUntil(saved.at + by);
      const { cluster: inCluster, aws: inAws, history: past } = shiftInstants(saved, by);
      cluster.restore(inCluster);
      aws.restore(inAws);
      aws.readLagMs = 0;
      aws.listLagMs = 0;
      history = past;
      found = [];
      readEvents = aws.state.events.length;
    },
    async close(): Promise<void> {
      await host.close();
      await sandbox.close();
    },
  };
}
