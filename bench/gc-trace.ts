/** One collection of garbage, as V8 tells of it with `--trace-gc`. */
export interface Collection {
  /** Process that was paused. */
  readonly pid: number;
  readonly kind: string;
  /** Longest time for which the program stood still: the pause itself, or the longest step of marking before it. */
  readonly pauseMs: number;
}

const line =
  /^\[(\d+):0x[0-9a-f]+(?::\d+)?\]\s+\d+ ms: ([A-Za-z-]+).* MB, (?:pooled: \S+ MB, )?([\d.]+) \/ [\d.]+ ms(.*)$/gm;

/** Finds the collections in what processes wrote. */
export function readCollections(text: string): Collection[] {
  return [...text.matchAll(line)].map(([, pid, kind = '', pause, rest = '']) => ({
    pid: Number(pid),
    kind,
    pauseMs: Math.max(Number(pause), Number(/biggest step ([\d.]+) ms/.exec(rest)?.[1] ?? 0)),
  }));
}
