const slots = 256;
/** Characters of a path that it is known by. */
const prefixLength = 16;
/** Glances in a row that were in vain before they are left out. */
const patience = 64;
/** One of so many requests is glanced at all the same, in case that has changed. */
const retryEvery = 64;

/**
 * Forecasts by the first segment of a path whether a glance at a request will answer it: where requests go upstream it
 * never does, and is work for nothing. Being wrong costs no more than that work.
 */
export class GlanceForecast {
  /** By a hash of the segment: glances in vain, and then requests since. */
  readonly #vain = new Uint8Array(slots);
  #slot = 0;
  #before = 0;

  /** @returns whether to glance; what is not reported as `missed` before the next call is taken for a success */
  isWorth(path: string): boolean {
    const slot = slotOf(path);
    const vain = this.#vain[slot] as number;
    if (vain >= patience && vain < patience + retryEvery) {
      this.#vain[slot] = vain + 1;
      return false;
    }
    this.#slot = slot;
    this.#before = vain;
    this.#vain[slot] = 0;
    return true;
  }

  /** The glance at the request asked about last was in vain. */
  missed(): void {
    this.#vain[this.#slot] = Math.min(this.#before + 1, patience);
  }
}

/** Segments may share a slot: then they share their luck. */
function slotOf(path: string): number {
  const end = Math.min(path.length, prefixLength);
  let hash = 0;
  for (let index = 1; index < end; index++) {
    const code = path.charCodeAt(index);
    hash = (hash * 31 + code) & 0xffff;
    if (code === 0x2f) break;
  }
  return hash & (slots - 1);
}
