import { type Disturbance, disturb } from '../world/faults.ts';
import type { Job } from '../world/jobs.ts';
import { openWorld } from '../world/open-world.ts';
import { shiftInstants } from '../world/shift-instants.ts';
import type { SystemsOptions } from '../world/systems.ts';
import type { Answered, Deployment, Saved as SavedWorld, World } from '../world/world.ts';
import { emptyHistory, type History, note, noteProbe } from './history.ts';
import { violations } from './invariants.ts';
import {
  givesNothingUnderHold,
  heldStaysDead,
  holdsOthers,
  holdsUnknown,
  leaks,
  unsettled,
  waitsForPeople,
} from './outcomes.ts';
import { policy, SECRET } from './policy.ts';
import { termsOf } from './terms.ts';
import { type View, viewOf } from './view.ts';

/** A run of one function, or the four steps that Secrets Manager asks for when somebody presses Rotate. */
export type Run = { readonly job: Job; readonly event?: object } | 'RotateSecret';

const isAtOnce = (run: Run): boolean =>
  run !== 'RotateSecret' && run.event !== undefined && 'immediately' in run.event;

/** A world's state, what had happened, and which functions run. */
export interface Saved extends SavedWorld {
  readonly history: History;
  readonly deployment: Deployment;
}

export type Laboratory = Awaited<ReturnType<typeof openLaboratory>>;

/** `CRASH_ROUTERS=12`: so many routers, which learn of every change within four minutes. */
const routers = Number(process.env.CRASH_ROUTERS ?? 1);
const SPREAD_MS = 240_000;

/** A world in which every call that takes effect is checked against the invariants. */
export async function openLaboratory(declared: object = policy, options: SystemsOptions = {}) {
  const world = await openWorld(declared, {
    databases: [],
    activationDelayMs: 5_000,
    ...options,
    ...(routers > 1 && { routers: { count: routers, spreadMs: SPREAD_MS } }),
  });
  const { cluster, aws, clock } = world;

  let deployment: Deployment = world;
  let terms = termsOf(deployment.policy, world);
  let history = emptyHistory();
  let found: string[] = [];
  let running = 0;
  let started = 0;
  let readEvents = 0;
  /** While an order to replace at once is carried out: what it ends before there is a successor. */
  let endedFirst: ReadonlySet<string> = new Set();
  const readLines = new Map<Deployment, number>();

  const view = (): View => viewOf(cluster.state, aws.state, clock.now());

  const use = (next: Deployment) => {
    deployment = next;
    terms = termsOf(next.policy, world);
  };

  world.watch((call, effect) => {
    if (call.server === 'data-plane') {
      // A probe changes nothing but what is known of the string, and there are a hundred for each token.
      const reply = effect();
      noteProbe(history, { call, reply });
      return reply;
    }
    const before = view();
    const reply = effect();
    const isOrdered = world.origin(call)?.job === 'revoke';
    const step = { call, isOrdered, endedFirst, reply, before, after: view() };
    note(history, step, terms);
    found.push(...violations(history, step, terms));
    return reply;
  });

  /** What the functions logged since this was asked last. */
  const newLines = () => {
    const lines = deployment.lines(readLines.get(deployment));
    readLines.set(deployment, (readLines.get(deployment) ?? 0) + lines.length);
    return lines;
  };

  const checkTexts = (answer: Answered, lines: readonly string[]) => {
    const strings = [cluster.managementToken, ...Object.values(history.strings)];
    const events = aws.state.events.slice(readEvents).map((event) => JSON.stringify(event));
    readEvents = aws.state.events.length;
    const secrets = Object.values(aws.state.secrets).map(({ tags, description }) =>
      JSON.stringify({ tags, description }),
    );
    const tokens = cluster.state.tokens.map(({ description }) => description);
    const texts = [...lines, ...events, ...secrets, ...tokens, JSON.stringify(answer)];
    found.push(...leaks(strings, texts));
  };

  const start = async (run: Run): Promise<Answered> => {
    if (run !== 'RotateSecret') return deployment.invoke(run.job, run.event);
    await deployment.rotateSecret(SECRET);
    return {};
  };

  const invoke = async (run: Run): Promise<Answered & { readonly lines: readonly string[] }> => {
    // What is kept by caller is kept by run; beside another run, the one that waits goes on.
    if (running === 0)
      history = { ...history, limited: {}, looked: {}, obeyed: {}, givenUnderHold: {} };
    running += 1;
    started += 1;
    const number = started;
    const before = view();
    if (isAtOnce(run)) endedFirst = new Set([SECRET]);
    const answer = await start(run);
    if (isAtOnce(run)) endedFirst = new Set();
    running -= 1;
    const lines = newLines();
    checkTexts(answer, lines);
    const sawAll = aws.readLagMs === 0 && aws.listLagMs === 0;
    if (run !== 'RotateSecret' && run.job === 'reap' && !answer.error && sawAll) {
      found.push(...heldStaysDead(before, view(), history));
    }
    const wasAlone = running === 0 && started === number;
    if (run !== 'RotateSecret' && run.job === 'rotate' && !answer.error && sawAll && wasAlone) {
      found.push(...givesNothingUnderHold(history, view()));
    }
    return { ...answer, lines };
  };

  /** People press Rotate in the console, which asks the functions that are deployed now. */
  const hands: World = { ...world, rotateSecret: (...asked) => deployment.rotateSecret(...asked) };

  return {
    world: hands,
    view,
    invoke,
    /** Another policy, whose functions run from now on. */
    deploy: (next: object) => use(world.deploy(next)),
    get terms() {
      return terms;
    },
    hasUnknown: () => [...view().secrets.values()].some((each) => holdsUnknown(each, history)),
    /** Whether a secret has a string that is not its own: only its next rotation changes that. */
    hasOthers: () => {
      const seen = view();
      return [...seen.secrets.values()].some((each) => holdsOthers(each, seen));
    },
    /** Whether nobody but people can say what belongs into a secret, or to which cluster it belongs. */
    waitsForPeople: () => {
      const seen = view();
      return [...seen.secrets.values()].some((each) => waitsForPeople(each, seen, terms));
    },
    unsettled: () => [...unsettled(view(), history, terms)],
    get history() {
      return history;
    },
    get violations(): readonly string[] {
      return found;
    },
    /** One run that is disturbed at its call of a given number. Returns how many calls it made, and its answer. */
    invokeDisturbed: (run: Run, number: number, disturbance: Disturbance) =>
      disturb(world, () => invoke(run), number, disturbance),
    save: (): Saved => ({ ...world.save(), history: structuredClone(history), deployment }),
    async restore(saved: Saved): Promise<void> {
      const by = await world.restore(saved);
      cluster.manners = {};
      use(saved.deployment);
      history = shiftInstants(saved.history, by);
      found = [];
      readEvents = aws.state.events.length;
    },
    close: () => world.close(),
  };
}
