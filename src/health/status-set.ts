/** Statuses from the first to the second, both included. */
export type StatusRange = readonly [first: number, last: number];

/** Whether a status is in one of the ranges. */
export function hasStatus(ranges: readonly StatusRange[], status: number): boolean {
  for (const [first, last] of ranges) {
    if (status >= first && status <= last) return true;
  }
  return false;
}
