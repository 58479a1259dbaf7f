import { AsyncLocalStorage } from 'node:async_hooks';
import type { Respond } from '../../asked.ts';
import type { VirtualClock } from '../../virtual-clock.ts';

export interface ProcessOptions {
  /** What its requests name as their caller; absent: a person's own machine. */
  readonly caller?: string;
  /** What its environment has besides the program's own. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock: VirtualClock;
  /** The servers that it reaches, by their origins. */
  readonly network: Readonly<Record<string, Respond>>;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

const current = new AsyncLocalStorage<SimulatedProcess>();

/** The process whose code runs now; undefined: the program's own. */
export const currentProcess = (): SimulatedProcess | undefined => current.getStore();

/**
 * Something with a clock, chance and a network of its own that runs in this very process: all that it starts belongs to
 * it. Frozen, it does nothing; what fell due meanwhile happens as soon as it runs again. Dead, it never does anything more.
 */
export class SimulatedProcess {
  readonly caller: string | undefined;
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly environment: Readonly<Record<string, string>>;
  readonly #network: ProcessOptions['network'];
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #missed: (() => void)[] = [];

  constructor({ caller, environment = {}, clock, network, random }: ProcessOptions) {
    this.caller = caller;
    this.environment = environment;
    this.clock = clock;
    this.random = random;
    this.#network = network;
  }

  /** Runs code as this process's own. */
  run<T>(code: () => T): T {
    return current.run(this, code);
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  freeze(): void {
    if (!this.isDead) this.#state = 'frozen';
  }

  thaw(): void {
    if (this.isDead) return;
    this.#state = 'running';
    const missed = this.#missed;
    this.#missed = [];
    for (const each of missed) each();
  }

  kill(): void {
    this.#state = 'dead';
    this.#missed = [];
  }

  /** Lets something happen to it: now, when it runs again, or never. */
  meet(happen: () => void): void {
    if (this.#state === 'running') happen();
    else if (this.#state === 'frozen') this.#missed.push(happen);
  }

  /** Calls back after so many milliseconds. Returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void {
    const inContext = AsyncLocalStorage.bind(callback);
    return this.clock.at(this.clock.now() + Math.max(1, ms), () => this.meet(inContext));
  }

  /** The server behind an origin. @throws Error if there is none */
  server(origin: string): Respond {
    const respond = this.#network[origin];
    if (respond) return (asked) => current.exit(() => respond(asked));
    throw new Error(`there is no server at ${origin}, only ${Object.keys(this.#network).join()}`);
  }
}
