import { hash32, mix32 } from './hash32.ts';

/** Points of a server of weight 1: enough for shares that differ by a tenth or so. */
const pointsPerWeight = 160;
/** Most points of a ring; beyond it all servers get fewer, in proportion. */
const maxPoints = 65_536;

/**
 * The circle of consistent hashing: each server stands at many points that depend on its name alone, and a key belongs
 * to the next point. A server that leaves gives up its own keys and no others.
 */
export class HashRing {
  private readonly points: Uint32Array;
  private readonly owners: Uint16Array;

  /** @param servers at most 65536 */
  constructor(servers: readonly { readonly name: string; readonly weight: number }[]) {
    const wanted = servers.reduce((sum, { weight }) => sum + weight * pointsPerWeight, 0);
    const scale = Math.min(1, maxPoints / wanted);
    const pairs = servers.flatMap(({ name, weight }, owner) => {
      const start = hash32(name);
      const count = Math.max(1, Math.round(weight * pointsPerWeight * scale));
      return Array.from({ length: count }, (_, index) => mix32(start ^ mix32(index + 1)) * maxPoints + owner);
    });
    // One number holds point and owner exactly: 48 bits of the 53 that there are.
    const sorted = Float64Array.from(pairs).sort();
    this.points = Uint32Array.from(sorted, (pair) => Math.floor(pair / maxPoints));
    this.owners = Uint16Array.from(sorted, (pair) => pair % maxPoints);
  }

  get size(): number {
    return this.points.length;
  }

  /** The position of the first point at or behind a hash. */
  find(hash: number): number {
    const { points } = this;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((points[middle] as number) < hash) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }

  /** The index of the server at a position; positions go round. */
  ownerAt(position: number): number {
    return this.owners[position % this.owners.length] as number;
  }
}
