import type { Call, Interceptor, Reply } from '../../sandbox/interception.ts';
import { MINUTE } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import type { Chance } from './chance.ts';
import type { Trouble, Weather } from './trouble.ts';

const AWS = ['secrets-manager', 'events', 'scheduler', 'kms', 'sts'];

const isOf = ({ server }: Call, system: Weather['system']) =>
  system === 'aws'
    ? AWS.includes(server)
    : server === (system === 'cluster' ? 'management-api' : system);

/** What a proxy answers where it finds no server: no word of the cluster, and nothing of it means that a token is gone. */
const PAGE: Reply = {
  status: 404,
  headers: { 'content-type': 'text/html' },
  body: '<html><body><h1>404 Not Found</h1></body></html>',
};

const failure = ({ server }: Call, how: Weather['how']): Reply => {
  if (how === 'page') return PAGE;
  const isThrottled = how === 'throttled';
  if (!AWS.includes(server)) {
    const [status, message] = isThrottled ? [429, 'slow down'] : [503, 'out of order'];
    const headers = { 'content-type': 'application/json' };
    return { status, headers, body: JSON.stringify({ code: status, message }) };
  }
  const __type = isThrottled ? 'ThrottlingException' : 'InternalServiceError';
  return { status: isThrottled ? 400 : 500, body: JSON.stringify({ __type, Message: 'later' }) };
};

/** All is done that is asked for, and soon enough. */
const GENTLE: readonly Weather['how'][] = ['slow', 'under way'];

const isNoProbe = ({ server }: Call) => server !== 'data-plane';

/** What waits for a call of a function, or lasts for some time. */
export function createDisturbance(world: World, chance: Chance) {
  const { clock } = world;
  let weather: { readonly is: Weather; readonly until: number }[] = [];
  let waiting: {
    left: number;
    readonly counts: (call: Call) => boolean;
    readonly happen: (call: Call, effect: () => Reply) => Promise<Reply | 'reset'>;
  }[] = [];

  const met: Record<string, number> = {};
  let disturbed = 0;
  let held = 0;

  const meet = async (
    { how, system }: Weather,
    call: Call,
    effect: () => Reply,
  ): Promise<Reply | 'reset'> => {
    disturbed += 1;
    met[`${system} ${how}`] = (met[`${system} ${how}`] ?? 0) + 1;
    if (how === 'slow') {
      await clock.after(Math.floor(chance.next() ** 3 * 40_000));
      return effect();
    }
    if (how === 'late') {
      const reply = effect();
      await clock.after(MINUTE + Math.floor(chance.next() * 14 * MINUTE));
      return reply;
    }
    if (how === 'under way') {
      const reply = effect();
      const body = String(reply.body).replaceAll('"Status":"InSync"', '"Status":"InProgress"');
      return { ...reply, body };
    }
    const [what, when] = how.split(' ');
    if (when === 'after') effect();
    return what === 'reset' ? 'reset' : failure(call, how);
  };

  /** What waited for this call. */
  const takeDue = (call: Call) => {
    const counting = waiting.filter(({ counts }) => counts(call));
    for (const each of counting) each.left -= 1;
    const due = counting.find(({ left }) => left <= 0);
    waiting = waiting.filter((each) => each !== due);
    return due;
  };

  const intercept: Interceptor = async (call, effect) => {
    if (call.caller === undefined) return effect();
    const due = takeDue(call);
    if (due) {
      disturbed += 1;
      held += 1;
      return await due.happen(call, effect);
    }
    weather = weather.filter(({ until }) => until > clock.now());
    const met = weather.find(({ is }) => isOf(call, is.system) && chance.happens(is.share));
    return met ? await meet(met.is, call, effect) : effect();
  };

  return {
    intercept,
    /** How many calls met what. */
    met,
    /** How often something was done to a call, until now. */
    disturbed: () => disturbed,
    /** How often a process was frozen, killed, or kept waiting for people, until now. */
    held: () => held,
    /** Whether at least half of what is sent to one of the systems fails now: what waits for it may wait for long. */
    isStormy: () =>
      weather.some(
        ({ is, until }) => is.share >= 0.5 && !GENTLE.includes(is.how) && until > clock.now(),
      ),
    /** Begins weather now. */
    begin: (is: Weather) => weather.push({ is, until: clock.now() + is.lastsMs }),
    die: ({ call: left, isAfter }: Trouble & { readonly kind: 'death' }, onDeath: () => void) =>
      waiting.push({
        left,
        counts: isNoProbe,
        async happen(call, effect) {
          onDeath();
          if (isAfter) effect();
          await world.kill(call);
          return 'reset';
        },
      }),
    freeze: (
      { call: left, isAfter, lastsMs }: Trouble & { readonly kind: 'freeze' },
      onFreeze: () => void,
    ) =>
      waiting.push({
        left,
        counts: isNoProbe,
        async happen(call, effect) {
          onFreeze();
          world.freeze(call, lastsMs);
          if (isAfter) return effect();
          await clock.after(lastsMs);
          return effect();
        },
      }),
    /** Something else happens, from start to end, before the call of that number takes effect. */
    meanwhile: (left: number, act: () => Promise<unknown>, counts = isNoProbe) =>
      waiting.push({
        left,
        counts,
        async happen(call, effect) {
          await world.beside(call, act);
          return effect();
        },
      }),
    /** Nothing is met any more. */
    clear() {
      weather = [];
      waiting = [];
    },
  };
}
