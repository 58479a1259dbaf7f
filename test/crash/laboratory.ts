import { parsePolicy } from '../../functions/policy/parse-policy.ts';
import { type Disturbance, disturb } from '../world/faults.ts';
import type { Job } from '../world/jobs.ts';
import { openWorld } from '../world/open-world.ts';
import { shiftInstants } from '../world/shift-instants.ts';
import type { Answered, Saved as SavedWorld } from '../world/world.ts';
import { emptyHistory, type History, note } from './history.ts';
import { type Terms, violations } from './invariants.ts';
import { heldStaysDead, leaks } from './outcomes.ts';
import { policy } from './policy.ts';
import { type View, viewOf } from './view.ts';

export interface Run {
  readonly job: Job;
  readonly event?: object;
}

/** A world's state, and what had happened. */
export interface Saved extends SavedWorld {
  readonly history: History;
}

export type Laboratory = Awaited<ReturnType<typeof openLaboratory>>;

/** A world in which every call that takes effect is checked against the invariants. */
export async function openLaboratory() {
  const world = await openWorld(policy, { databases: [], activationDelayMs: 5_000 });
  const { cluster, aws, clock } = world;
  const { defaults, limits } = parsePolicy(world.policy);

  let history = emptyHistory();
  let found: string[] = [];
  let running = 0;
  let readLines = 0;
  let readEvents = 0;

  const terms: Terms = {
    gracePeriod: defaults.gracePeriod,
    limits,
    accepts: (string) => world.accepts(string, 'write', 'metrics'),
  };
  const view = (): View => viewOf(cluster.state, aws.state, clock.now());

  world.watch((call, effect) => {
    const before = view();
    const reply = effect();
    const step = { call, reply, before, after: view() };
    note(history, step);
    found.push(...violations(history, step, terms));
    return reply;
  });

  const checkTexts = (answer: Answered) => {
    const strings = [cluster.managementToken, ...Object.values(history.strings)];
    const lines = world.lines(readLines);
    readLines += lines.length;
    const events = aws.state.events.slice(readEvents).map((event) => JSON.stringify(event));
    readEvents = aws.state.events.length;
    const secrets = Object.values(aws.state.secrets).map(({ tags, description }) =>
      JSON.stringify({ tags, description }),
    );
    const tokens = cluster.state.tokens.map(({ description }) => description);
    const texts = [...lines, ...events, ...secrets, ...tokens, JSON.stringify(answer)];
    found.push(...leaks(strings, texts));
  };

  const invoke = async ({ job, event }: Run): Promise<Answered> => {
    // What is kept by caller is kept by run; beside another run, the one that waits goes on.
    if (running === 0) history = { ...history, taken: {}, looked: {} };
    running += 1;
    const before = view();
    const answer = await world.invoke(job, event);
    running -= 1;
    checkTexts(answer);
    const sawAll = aws.readLagMs === 0 && aws.listLagMs === 0;
    if (job === 'reap' && !answer.error && sawAll) {
      found.push(...heldStaysDead(before, view(), history));
    }
    return answer;
  };

  return {
    world,
    view,
    invoke,
    get history() {
      return history;
    },
    get violations(): readonly string[] {
      return found;
    },
    /** One run that is disturbed at its call of a given number. Returns how many calls it made. */
    async invokeDisturbed(run: Run, number: number, disturbance: Disturbance): Promise<number> {
      const { calls } = await disturb(world, () => invoke(run), number, disturbance);
      return calls;
    },
    save: (): Saved => ({ ...world.save(), history: structuredClone(history) }),
    async restore(saved: Saved): Promise<void> {
      const by = await world.restore(saved);
      history = shiftInstants(saved.history, by);
      found = [];
      readEvents = aws.state.events.length;
    },
    close: () => world.close(),
  };
}
