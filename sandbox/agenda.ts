interface WakeUp {
  readonly at: number;
  readonly fire: () => void;
}

/** What is to happen, and when. Of things due at one instant, the first asked for goes first. */
export class Agenda {
  readonly #wakeUps = new Set<WakeUp>();

  /** Returns how to cancel it. */
  add(at: number, fire: () => void): () => void {
    const wakeUp = { at, fire };
    this.#wakeUps.add(wakeUp);
    return () => this.#wakeUps.delete(wakeUp);
  }

  get empty(): boolean {
    return this.#wakeUps.size === 0;
  }

  /** `Infinity` if there is nothing. */
  get earliestAt(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { at } of this.#wakeUps) earliest = Math.min(earliest, at);
    return earliest;
  }

  fireDue(now: number): void {
    const due = [...this.#wakeUps].filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    for (const wakeUp of due) {
      // One that fired before may have cancelled this one.
      if (this.#wakeUps.delete(wakeUp)) wakeUp.fire();
    }
  }
}
