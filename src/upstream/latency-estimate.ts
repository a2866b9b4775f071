/** Time in which a sample loses all but 1/e of its say, milliseconds. */
const decayMs = 10_000;

/**
 * How long a server is expected to take: an average that decays with time (exponentially weighted moving average) and
 * that jumps up at once to a sample above it, so that a server that turns slow is noticed with its first slow response.
 * Without samples it falls, so that the server gets another chance. As Finagle's "peak EWMA" has it.
 */
export class LatencyEstimate {
  private value = 0;
  private at = 0;

  /** Takes the time that a response took. */
  observe(milliseconds: number, now: number): void {
    const decay = this.decay(now);
    if (this.value === 0 || milliseconds > this.value * decay) this.value = milliseconds;
    else this.value = milliseconds + (this.value - milliseconds) * decay;
    this.at = now;
  }

  /** The estimate, 0 as long as nothing was observed. */
  current(now: number): number {
    return this.value * this.decay(now);
  }

  private decay(now: number): number {
    return Math.exp(-Math.max(0, now - this.at) / decayMs);
  }
}
