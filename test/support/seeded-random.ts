import { mix32 } from '../../src/balancer/hash32.ts';

/** Random numbers from 0 to 1 that are the same each time. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    return mix32(state) / 2 ** 32;
  };
}
