interface WakeUp {
  readonly at: number;
  readonly fire: () => void;
}

/**
 * Callbacks and their instants. If several are due at one instant, they run in the order of their
 * addition.
 */
export class Agenda {
  readonly #wakeUps = new Set<WakeUp>();

  /** Returns a function that cancels it. */
  add(at: number, fire: () => void): () => void {
    const wakeUp = { at, fire };
    this.#wakeUps.add(wakeUp);
    return () => this.#wakeUps.delete(wakeUp);
  }

  get empty(): boolean {
    return this.#wakeUps.size === 0;
  }

  /** `Infinity` if it is empty. */
  get earliestAt(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { at } of this.#wakeUps) earliest = Math.min(earliest, at);
    return earliest;
  }

  fireDue(now: number): void {
    const due = [...this.#wakeUps].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    for (const wakeUp of due) {
      // An earlier callback may have cancelled this one.
      if (this.#wakeUps.delete(wakeUp)) wakeUp.fire();
    }
  }
}
