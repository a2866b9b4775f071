/** Variants of one key that a worker stores; more are not worth the space, and may be somebody's attempt to fill it. */
export const maxVariants = 64;
/** Keys of which variants are counted. */
const maxKeys = 4096;
/** After so long a count begins anew, milliseconds: what was stored then may be gone. */
const countMs = 600_000;

interface Count {
  readonly variants: Set<string>;
  readonly since: number;
}

/** Bounds how many variants of a key are stored: what Vary names may have any number of values. */
export class VariantBound {
  private readonly counts = new Map<string, Count>();

  /** Whether that variant of a key may be stored; it counts from then on. */
  admits(key: string, variant: string, now: number): boolean {
    if (variant === '') return true;
    let count = this.counts.get(key);
    if (count === undefined || now - count.since > countMs) {
      count = { variants: new Set(), since: now };
      this.counts.delete(key);
      this.counts.set(key, count);
      this.forgetOldest();
    }
    if (count.variants.has(variant)) return true;
    if (count.variants.size >= maxVariants) return false;
    count.variants.add(variant);
    return true;
  }

  private forgetOldest(): void {
    if (this.counts.size <= maxKeys) return;
    for (const key of this.counts.keys()) {
      this.counts.delete(key);
      return;
    }
  }
}
