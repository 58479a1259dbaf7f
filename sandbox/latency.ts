import { type Call, type Interceptor, passThrough } from './interception.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Lets each call of a function take time, which its effect comes after. What people do takes none. */
export const withLatency =
  (
    clock: VirtualClock,
    millisecondsOf: (call: Call) => number,
    inner: Interceptor = passThrough,
  ): Interceptor =>
  async (call, effect) => {
    if (call.caller !== undefined)
      await clock.heldBack(call.caller, clock.after(millisecondsOf(call)));
    return inner(call, effect);
  };
