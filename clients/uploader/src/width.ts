/** Number of parts in transit at once: more while that is faster, fewer when parts fail or take long. */

const FIRST_LIMIT = 2;
const MOST_PARTS = 6;
/** A part that takes longer shares the line with too many: a cut would lose too much. */
const SLOW_PART_MS = 10_000;
/** A part that takes longer leaves no room for one more. */
const QUICK_PART_MS = 5000;
/** Gain that one more part must bring. */
const WORTHWHILE = 1.05;
/** Rounds before one part more is tried again where it did not help. */
const ROUNDS_AT_REST = 8;

/** Fires "change" when a part may begin. */
export class Width extends EventTarget {
  #limit = FIRST_LIMIT;
  #inFlight = 0;
  /** rounds: as many parts as travel at once */
  #round = { since: 0, bytes: 0, parts: 0 };
  /** bytes a millisecond before one part more was tried; 0 while none is */
  #before = 0;
  #rest = 0;

  get limit(): number {
    return this.#limit;
  }

  get isOpen(): boolean {
    return this.#inFlight < this.#limit;
  }

  began(): void {
    if (this.#inFlight === 0) this.#newRound();
    this.#inFlight += 1;
  }

  ended(): void {
    this.#inFlight -= 1;
    this.dispatchEvent(new Event("change"));
  }

  /** milliseconds: from its beginning to the answer. */
  stored(bytes: number, milliseconds: number): void {
    this.#round.bytes += bytes;
    this.#round.parts += 1;
    if (milliseconds > SLOW_PART_MS) this.#shrinkTo(this.#limit - 1);
    else if (this.#round.parts >= this.#limit) this.#endRound(milliseconds);
  }

  /** A part did not get through. */
  failed(): void {
    this.#shrinkTo(Math.floor(this.#limit / 2));
  }

  #endRound(lastPartMs: number): void {
    const speed = this.#round.bytes / Math.max(1, performance.now() - this.#round.since);
    const before = this.#before;
    this.#before = 0;
    if (before && speed < before * WORTHWHILE) {
      this.#shrinkTo(this.#limit - 1);
      return;
    }
    if (this.#rest > 0) this.#rest -= 1;
    else if (lastPartMs <= QUICK_PART_MS && this.#limit < MOST_PARTS) {
      this.#before = speed;
      this.#limit += 1;
    }
    this.#newRound();
  }

  #shrinkTo(limit: number): void {
    this.#limit = Math.max(1, limit);
    this.#before = 0;
    this.#rest = ROUNDS_AT_REST;
    this.#newRound();
  }

  #newRound(): void {
    this.#round = { since: performance.now(), bytes: 0, parts: 0 };
  }
}
