/** Size of the pieces in which uSockets reads at most. */
const slabBytes = 512 * 1024;
/** Below this size a copy of its own is cheap, and garbage collection keeps up with it. */
const smallestPooledBytes = 64 * 1024;
/** Memory kept for reuse at most. */
const maxPooledSlabs = 32;

/**
 * Memory for the copies of large pieces of request bodies. Allocating it anew for each piece costs twice: the garbage collector
 * lets tens of megabytes gather before it looks, and while the kernel hands out fresh pages a fast client fills the
 * socket again, which uSockets goes on reading.
 */
export class ChunkPool {
  readonly #free: Buffer[] = [];
  /** Slabs handed out, by the view that was made of them. */
  readonly #lent = new WeakMap<Buffer, Buffer>();

  /** A copy of the piece. Give it back by `release` when it is not needed any more; otherwise it is garbage some day. */
  copy(piece: ArrayBuffer): Buffer {
    const source = new Uint8Array(piece);
    const { length } = source;
    if (length < smallestPooledBytes || length > slabBytes) return Buffer.from(source);
    const slab = this.#free.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
    slab.set(source);
    const view = slab.subarray(0, length);
    this.#lent.set(view, slab);
    return view;
  }

  /** Takes back what `copy` gave; nobody may touch it afterwards. Other buffers are left alone. */
  release(view: Buffer): void {
    const slab = this.#lent.get(view);
    if (slab === undefined) return;
    this.#lent.delete(view);
    if (this.#free.length < maxPooledSlabs) this.#free.push(slab);
  }
}
