import type { Counter, Gauge, Histogram, Recorder } from './recorder.ts';

const counter: Counter = { add() {} };
const gauge: Gauge = { set() {}, add() {} };
const histogram: Histogram = { observe() {} };

/** Counts nothing: for commands that do not serve, and for tests. */
export const noopRecorder: Recorder = {
  counter: () => counter,
  gauge: () => gauge,
  histogram: () => histogram,
};
