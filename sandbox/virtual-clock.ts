import { AsyncLocalStorage } from 'node:async_hooks';
import { Agenda } from './agenda.ts';
import type { Clock } from './clock.ts';
import { whenQuiet } from './when-quiet.ts';

/** Another process that sleeps by this clock. */
export interface Remote {
  /**
   * One more (or one less) of its requests is held back on purpose. Resolves when the process
   * knows that and the time. The process then reports again whether it sleeps.
   */
  held(change: 1 | -1): Promise<void>;
}

export interface Membership {
  /** The process does nothing until `until`; `undefined`: until a held request is answered. */
  asleep(until: number | undefined, wake: () => void): void;
  awake(): void;
  leave(): void;
}

interface Participant {
  readonly name: string;
  readonly remote: Remote | undefined;
  /** The number of things that it waits for. At zero it works, and time does not move. */
  waits: number;
}

/** Turns of the event loop without activity after which time moves. */
const settleTurns = 2;
const stallWarningMs = 4_000;
/** The machine's own, also while code of a simulated process runs. */
const { setTimeout: realTimeout } = globalThis;

/**
 * Time that moves only when all participants sleep, and then to the next wake-up. Participants are
 * the code outside any `spawn` (named `main`), every spawned task, and every function's invocation.
 *
 * A task must use `sleep`, `waitFor` or `runUntil` to wait for things of this clock: in any other
 * `await` it counts as working. So time does not move while a test's own code runs.
 */
export class VirtualClock implements Clock {
  #now: number;
  readonly #wakeUps = new Agenda();
  readonly #horizons = new Agenda();
  readonly #main: Participant = { name: 'main', remote: undefined, waits: 0 };
  readonly #participants = new Map<string, Participant>([['main', this.#main]]);
  readonly #current = new AsyncLocalStorage<Participant>();
  readonly #changed = whenQuiet(settleTurns, () => this.#advance());
  #stall: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(startAt: number) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  /** Calls back at an instant. Callbacks of the same instant run in the order of their addition. */
  at(instant: number, callback: () => void): () => void {
    // Whole milliseconds, as of real clocks; a random wait may have a fraction.
    const cancel = this.#wakeUps.add(Math.ceil(instant), callback);
    this.#changed();
    return () => {
      cancel();
      this.#changed();
    };
  }

  /** A promise for later. Unlike `sleep`, it does not count the caller as sleeping. */
  after(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.at(this.#now + ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.waitFor(this.after(ms, signal));
  }

  /** The calling task does nothing until the promise settles, so time may move. */
  async waitFor<T>(promise: Promise<T>): Promise<T> {
    const participant = this.#current.getStore() ?? this.#main;
    this.#wait(participant, 1);
    try {
      return await promise;
    } finally {
      this.#wait(participant, -1);
    }
  }

  /** Starts a task. Tasks run concurrently; a name in use gets a number. */
  async spawn<T>(name: string, run: () => Promise<T>): Promise<T> {
    const participant = this.#add(this.#unused(name), undefined);
    try {
      return await this.#current.run(participant, run);
    } finally {
      this.#remove(participant);
    }
  }

  /** A schedule: spawns `run` every period from now on, even if the last one has not ended. */
  every(periodMs: number, name: string, run: () => Promise<void>): () => void {
    let cancel = () => {};
    const arm = (at: number) => {
      cancel = this.at(at, () => {
        arm(at + periodMs);
        this.spawn(name, run);
      });
    };
    arm(this.#now + periodMs);
    return () => cancel();
  }

  /** Lets time move up to an instant; resolves when it is reached and all participants sleep. */
  runUntil(instant: number): Promise<void> {
    return this.waitFor(
      new Promise((resolve) => {
        this.#horizons.add(instant, resolve);
        this.#changed();
      }),
    );
  }

  /** Resolves when all others sleep; time does not move. */
  idle(): Promise<void> {
    return this.runUntil(this.#now);
  }

  /**
   * A request of this participant (a function's instance id, or a task's name) is held back:
   * do not wait for it. Unknown and ended participants are ignored.
   */
  async exclude(name: string | undefined): Promise<void> {
    await this.#held(name, 1);
  }

  /** The held request will be answered. When this resolves, the participant knows the time. */
  async include(name: string | undefined): Promise<void> {
    await this.#held(name, -1);
  }

  /** For interceptors: `await clock.heldBack(call.caller, clock.after(5_000))`. */
  async heldBack<T>(name: string | undefined, until: Promise<T>): Promise<T> {
    await this.exclude(name);
    try {
      return await until;
    } finally {
      await this.include(name);
    }
  }

  /** What waits now waits for ever, and nobody is warned of it. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#stall);
  }

  /** Adds another process, which is awake at first. Throws if the name is in use. */
  join(name: string, remote: Remote): Membership {
    const participant = this.#add(name, remote);
    let cancel = () => {};
    const awake = () => {
      cancel();
      this.#wait(participant, -participant.waits);
    };
    return {
      asleep: (until, wake) => {
        awake();
        this.#wait(participant, 1);
        if (until === undefined) return;
        cancel = this.at(until, () => {
          awake();
          wake();
        });
      },
      awake,
      leave: () => {
        cancel();
        this.#remove(participant);
      },
    };
  }

  /** The participants that keep time from moving. */
  get busy(): readonly string[] {
    return [...this.#participants.values()].filter((one) => one.waits === 0).map((one) => one.name);
  }

  async #held(name: string | undefined, change: 1 | -1): Promise<void> {
    const participant = name === undefined ? undefined : this.#participants.get(name);
    if (participant?.remote !== undefined) await participant.remote.held(change);
    else if (participant !== undefined) this.#wait(participant, change);
  }

  #add(name: string, remote: Remote | undefined): Participant {
    if (this.#participants.has(name)) throw new Error(`${name} already takes part in this clock`);
    const participant = { name, remote, waits: 0 };
    this.#participants.set(name, participant);
    this.#changed();
    return participant;
  }

  #unused(name: string): string {
    let unused = name;
    for (let n = 2; this.#participants.has(unused); n++) unused = `${name} ${n}`;
    return unused;
  }

  #remove(participant: Participant): void {
    this.#participants.delete(participant.name);
    this.#changed();
  }

  #wait(participant: Participant, change: number): void {
    participant.waits += change;
    this.#changed();
  }

  #advance(): void {
    if (this.busy.length > 0) {
      this.#watch();
      return;
    }
    const agenda =
      this.#wakeUps.earliestAt <= this.#horizons.earliestAt ? this.#wakeUps : this.#horizons;
    if (agenda.empty) return;
    this.#now = Math.max(this.#now, agenda.earliestAt);
    agenda.fireDue(this.#now);
    this.#changed();
  }

  /** Warns of a task in an `await` that the clock does not know: a test would hang without a message. */
  #watch(): void {
    if (this.#isOver) return;
    this.#stall ??= realTimeout(() => {
      this.#stall = undefined;
      if (this.#wakeUps.empty && this.#horizons.empty) return;
      process.emitWarning(`The virtual clock waits for: ${this.busy.join(', ')}`);
    }, stallWarningMs).unref();
    this.#stall.refresh();
  }
}
