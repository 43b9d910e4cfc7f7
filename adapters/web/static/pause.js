/** Waiting between attempts. */

const FIRST_MS = 250;
const LONGEST_MS = 10_000;

/**
 * Doubles from a quarter of a second to ten seconds, spread so that many pages don't come back at once.
 * @param {number} tries
 */
export function backOff(tries) {
  const longest = Math.min(FIRST_MS * 2 ** tries, LONGEST_MS);
  return longest * (0.6 + Math.random() * 0.4);
}

/** A wait that can be cut short. */
export class Pause {
  /** @param {number} milliseconds  Infinity waits for `end` */
  async wait(milliseconds) {
    await /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        this.resolve = resolve;
        if (Number.isFinite(milliseconds)) this.timer = setTimeout(resolve, milliseconds);
      })
    );
    clearTimeout(this.timer);
  }

  end() {
    this.resolve?.();
  }
}
