/** Size of the pieces in which uSockets reads at most. */
const slabBytes = 512 * 1024;
/** Below this size a copy of its own is cheap, and garbage collection keeps up with it. */
const smallestPooledBytes = 64 * 1024;
/** Memory kept for reuse at most. */
const maxPooledSlabs = 32;

/** Size of the pieces for small bodies that come whole. */
export const smallPieceBytes = 16 * 1024;
/** Such pieces kept for reuse at most. */
const maxPooledSmall = 256;

/** A small body in lent memory. */
export interface SmallPiece {
  readonly memory: Buffer;
  /** The bytes of the body in it. */
  view: Buffer;
}

/**
 * Memory for the copies of large pieces of request bodies. Allocating it anew for each piece costs twice: the garbage collector
 * lets tens of megabytes gather before it looks, and while the kernel hands out fresh pages a fast client fills the
 * socket again, which uSockets goes on reading.
 */
export class ChunkPool {
  readonly #free: Buffer[] = [];
  /** Slabs handed out, by the view that was made of them. */
  readonly #lent = new WeakMap<Buffer, Buffer>();

  /** Pieces for small bodies. Fresh ones for each, which are old by the time of their response, would fill the old generation. */
  readonly #small: SmallPiece[] = [];

  /** A copy of a body of up to `smallPieceBytes`. Give it back by `giveBack`, once; otherwise it is garbage some day. */
  lendSmall(body: ArrayBuffer): SmallPiece {
    const small = this.#small.pop() ?? newSmallPiece();
    const bytes = new Uint8Array(body);
    small.memory.set(bytes);
    if (small.view.length !== bytes.length) small.view = small.memory.subarray(0, bytes.length);
    return small;
  }

  /** Takes back what `lendSmall` gave; nobody may touch it afterwards. */
  giveBack(small: SmallPiece): void {
    if (this.#small.length < maxPooledSmall) this.#small.push(small);
  }

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

function newSmallPiece(): SmallPiece {
  const memory = Buffer.allocUnsafeSlow(smallPieceBytes);
  return { memory, view: memory };
}
