import type { Call, Interceptor, Reply } from '../../sandbox/interception.ts';
import type { World } from './world.ts';

/** What happens at one call. Whether its effect takes place is up to this. */
export type Meeting = (call: Call, effect: () => Reply, world: World) => Promise<Reply | 'reset'>;

const broken: Reply = { status: 500, body: '{"code": 500, "message": "out of order"}' };

const before =
  (answer: Reply | 'reset'): Meeting =>
  () =>
    Promise.resolve(answer);

const after =
  (answer: Reply | 'reset'): Meeting =>
  (_call, effect) => {
    effect();
    return Promise.resolve(answer);
  };

/** Something else that happens right before a call takes effect. */
export const meanwhile =
  (act: (world: World) => unknown): Meeting =>
  async (_call, effect, world) => {
    await act(world);
    return effect();
  };

/** Faults of the network, of both systems and of the process itself. */
export const faults = {
  'a 500 before the effect': before(broken),
  'a reset before the effect': before('reset'),
  'a 500 after the effect': after(broken),
  'a reset after the effect': after('reset'),
  async 'killed before the effect'(call, _effect, world) {
    await world.kill(call);
    return 'reset';
  },
  async 'killed after the effect'(call, effect, world) {
    effect();
    await world.kill(call);
    return 'reset';
  },
  'stale reads from then on': meanwhile(({ aws }) => {
    aws.readLagMs = 60_000;
  }),
  'stale listings from then on': meanwhile(({ aws }) => {
    aws.listLagMs = 300_000;
  }),
} as const satisfies Readonly<Record<string, Meeting>>;

/** Another run from start to end, while the call waits for its effect or for its answer. */
export const besideRun = (
  run: () => Promise<unknown>,
): { readonly before: Meeting; readonly after: Meeting } => ({
  async before(call, effect, world) {
    await world.beside(call, run);
    return effect();
  },
  async after(call, effect, world) {
    const reply = effect();
    await world.beside(call, run);
    return reply;
  },
});

/** Answers one operation by itself, without the effect. */
export const answering =
  (operation: string, answer: Reply | 'reset'): Interceptor =>
  (call, effect) =>
    Promise.resolve(call.operation === operation ? answer : effect());

/** The cluster ends no token any more, from the first deletion on: it takes no permissions either. */
export function endingNothing(answer: Reply | 'reset'): Interceptor {
  let isOut = false;
  return ({ operation }, effect) => {
    isOut ||= operation === 'DELETE /tokens/{id}';
    const isEnding = ['DELETE /tokens/{id}', 'PATCH /tokens/{id}'].includes(operation);
    return Promise.resolve(isOut && isEnding ? answer : effect());
  };
}

/** How Secrets Manager answers whoever may not do this. */
export function refusal({ operation }: Call): Reply {
  const Message = `User is not authorized to perform: secretsmanager:${operation}`;
  const body = JSON.stringify({ __type: 'AccessDeniedException', Message });
  return { status: 400, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
}

/** Secrets Manager refuses every call of a function about one secret: its role does not cover it. */
export const denied =
  (secret: string): Interceptor =>
  (call, effect) => {
    const isDenied =
      call.server === 'secrets-manager' &&
      call.caller !== undefined &&
      call.operation !== 'ListSecrets' &&
      call.subject?.includes(secret);
    return Promise.resolve(isDenied ? refusal(call) : effect());
  };

export interface Disturbance {
  readonly meet: Meeting;
  /** Only these calls are numbered; all of them by default. */
  readonly counts?: (call: Call) => boolean;
  /** Later calls: met alike, or cut off, as if the process were dead; by default they succeed. */
  readonly later?: 'alike' | 'cut off';
}

/**
 * One run, disturbed at its call of a given number; the run is that of the first function which
 * asks anything. Of probes that follow one another only the first has a number: they change nothing, so
 * one is like the other. `calls`: how many were numbered.
 */
export async function disturb<Answer>(
  world: World,
  run: () => Promise<Answer>,
  number: number,
  { meet, counts = () => true, later }: Disturbance,
): Promise<{ readonly answer: Answer; readonly calls: number }> {
  let calls = 0;
  let last: Call | undefined;
  let subject: string | undefined;
  const isRepeated = (call: Call) => call.server === 'data-plane' && last?.server === call.server;
  world.intercept(async (call, effect) => {
    subject ??= call.caller;
    if (call.caller === undefined || call.caller !== subject) return effect();
    if (later === 'cut off' && calls >= number) return 'reset';
    if (!counts(call)) return effect();
    const isNumbered = !isRepeated(call);
    last = call;
    if (isNumbered) calls += 1;
    const isMet = later === 'alike' ? calls >= number : isNumbered && calls === number;
    return isMet ? await meet(call, effect, world) : effect();
  });
  try {
    const answer = await run();
    await world.untilAlone();
    return { answer, calls };
  } finally {
    world.intercept();
  }
}
