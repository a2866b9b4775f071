import type { Health } from './rise-fall.ts';

/** When checks take place. */
export interface CheckTiming {
  /** From the beginning of one check to that of the next, milliseconds. */
  readonly interval: number;
  /** By how much a pause may be shorter, percent. */
  readonly jitter: number;
  readonly rise: number;
}

/** Time within which the first checks of so many servers begin, milliseconds for each server. */
const firstChecksApartMs = 10;

/**
 * Pause before the first check of a server: short, because nothing is known of it, but not the same for all.
 * @param servers how many begin at the same time
 * @param random  from 0 up to 1
 */
export function firstCheckDelay({ interval }: CheckTiming, servers: number, random: number): number {
  return random * Math.min(interval, (servers - 1) * firstChecksApartMs);
}

/** Pause between the first check and the second: any part of the interval, so that servers which began together drift apart. */
export function secondCheckDelay({ interval }: CheckTiming, random: number): number {
  return random * interval;
}

/**
 * Pause between the beginnings of two checks. A server that is down is checked `rise` times as often: all the passes that it
 * needs fit into one interval then. Jitter only shortens, so that nothing takes longer than configured.
 */
export function nextCheckDelay({ interval, jitter, rise }: CheckTiming, health: Health, random: number): number {
  const pause = health === 'down' ? interval / rise : interval;
  return pause * (1 - (jitter / 100) * random);
}
