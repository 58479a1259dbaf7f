import type { Call } from '../../sandbox/interception.ts';
import { MINUTE } from '../world/policy.ts';
import type { Answered, World } from '../world/world.ts';
import {
  type Databases,
  databasesIn,
  differencesOf,
  lessenedBy,
  wrongsOf,
} from './database-rules.ts';
import type { Rule } from './databases.ts';

interface Declared {
  readonly databases?: readonly Rule[];
  readonly limits: { readonly percent: number; readonly tokens: number };
}

const ABOUT_DATABASES = /^(\w+) \/databases/;
const DAY = 86_400_000;
/** A run may have planned before midnight, when an approval ran out. */
const isAroundMidnight = (at: number) => at % DAY < 15 * MINUTE;

/** Checks what functions do to databases, after every call and after every run of `enforce`. */
export function createDatabaseOracles(
  world: Pick<World, 'cluster' | 'clock' | 'watch' | 'origin'>,
  tell: (texts: Iterable<string>) => void,
) {
  const { cluster, clock } = world;
  /** What the run of a caller saw last, and which databases it has left with less. */
  const runs = new Map<string | undefined, { looked: Databases; lessened: Set<string> }>();
  let acts = 0;
  let busy = 0;
  /** A person approved what the run does: the limit does not hold. */
  let isApproved = false;

  const now = () => databasesIn(cluster.state);
  const declaredOf = (call: Call) => {
    const { policy = {}, job = 'a person' } = world.origin(call) ?? {};
    return { job, ...(policy as Declared) };
  };

  const judge = (call: Call, before: Databases) => {
    const after = now();
    const { job, databases: rules = [], limits } = declaredOf(call);
    const { looked = before, lessened = new Set<string>() } = runs.get(call.caller) ?? {};
    const step = { job, rules, at: clock.now(), looked, before, after };
    tell(wrongsOf(step));
    for (const name of lessenedBy(step)) lessened.add(name);
    const allowed = Math.max(Math.floor((looked.size * limits.percent) / 100), limits.tokens);
    if (lessened.size > allowed && !isApproved)
      tell([`F: ${lessened.size} databases were left with less; the limit is ${allowed}`]);
    // An answer shows the run what it wrote.
    runs.set(call.caller, { looked: after, lessened });
  };

  world.watch((call, effect) => {
    const [, method] = ABOUT_DATABASES.exec(call.operation) ?? [];
    if (call.server !== 'management-api' || method === undefined) return effect();
    if (call.caller === undefined) {
      acts += 1;
      return effect();
    }
    const before = now();
    const reply = effect();
    const { lessened = new Set<string>() } = runs.get(call.caller) ?? {};
    if (method === 'GET') runs.set(call.caller, { looked: before, lessened });
    else judge(call, before);
    return reply;
  });

  return {
    /** D: what is not as the rules say, at the end of a calm time. */
    unsettled: (policy: object): readonly string[] =>
      differencesOf((policy as Declared).databases ?? [], now(), clock.now()).open.map(
        (each) => `D: ${each}`,
      ),
    /**
     * D and K: to be called before a run of `enforce`, and after it, with the metrics that sound alarms. What nobody disturbed
     * has corrected all that it may, and says what it left.
     */
    enter(event: object) {
      if (busy === 0) runs.clear();
      busy += 1;
      isApproved = 'approve' in event;
      const [actsBefore, isAlone] = [acts, busy === 1];
      return (
        { error }: Answered,
        {
          isDisturbed,
          rang,
          policy,
        }: {
          readonly isDisturbed: boolean;
          readonly rang: readonly string[];
          readonly policy: object;
        },
      ) => {
        busy -= 1;
        isApproved = false;
        const at = clock.now();
        if (error || isDisturbed || !isAlone || acts > actsBefore || isAroundMidnight(at)) return;
        const { databases = [] } = policy as Declared;
        const { open, drifted } = differencesOf(databases, now(), at);
        tell(open.map((each) => `D: enforce ran, and ${each}`));
        if (drifted.size > 0 !== rang.includes('DriftedDatabases'))
          tell([
            `K: ${drifted.size} databases are left to people, and ${rang.join() || 'nothing'} rang`,
          ]);
      };
    },
  };
}
