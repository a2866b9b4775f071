import { parseArgs } from 'node:util';
import type { Sizes } from './plan.ts';

/** What `npm run bench -- …` was asked for. */
export interface BenchOptions {
  /** Short form: one round of a moment, few of everything, nothing written unless `out` says where. */
  readonly quick: boolean;
  /** Ten million requests for the memory figure, instead of a minute's. */
  readonly long: boolean;
  /** Goes on with the run that was interrupted. */
  readonly resume: boolean;
  /** How often each pair of server and work is measured; the median counts. */
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Length of the unmeasured load before it, which lets just-in-time compilers do their work. */
  readonly warmUpSeconds: number;
  readonly enduranceSeconds: number;
  readonly enduranceWarmUpSeconds: number;
  /** Names of servers, stages or rows; none: all. */
  readonly only: readonly string[];
  readonly sizes: Sizes;
  /** Idle keep-alive connections held for the memory figure. */
  readonly idleConnections: number;
  /** How long a server is left alone before its memory is read, milliseconds. */
  readonly settleMs: number;
  /** How often each server is started for the start-up figure. */
  readonly starts: number;
  /** File for the table; undefined: standard output alone. */
  readonly out: string | undefined;
  /** Node.js that runs Portico and the proxies from npm. */
  readonly node: string;
  /** Portico's main.js. */
  readonly program: string;
}

const quickSizes: Sizes = { connections: 300, routing: { hosts: 20, routesPerHost: 10 }, files: 500 };
const fullSizes: Sizes = { connections: 5000, routing: { hosts: 1000, routesPerHost: 10 }, files: 100_000 };

/** @throws Error with one sentence for an option that is unknown or has no such value */
export function readOptions(args: readonly string[], defaults: { program: string; out: string }): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      resume: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
      node: { type: 'string', default: process.execPath },
      program: { type: 'string', default: defaults.program },
    },
  });
  const { quick, long, resume } = values;
  const only = values.only.flatMap((names) => names.split(','));
  // A part of the results must not take the place of all of them.
  const isPart = quick || only.length > 0;
  return {
    quick,
    long,
    resume,
    rounds: count('rounds', values.rounds, quick ? 1 : 3),
    seconds: count('seconds', values.seconds, quick ? 0.15 : 2),
    warmUpSeconds: quick ? 0 : 1,
    enduranceSeconds: quick ? 2 : 60,
    enduranceWarmUpSeconds: quick ? 0.3 : 10,
    only,
    sizes: quick ? quickSizes : fullSizes,
    idleConnections: quick ? 500 : 10_000,
    settleMs: quick ? 150 : 1500,
    starts: quick ? 1 : 3,
    out: values.out ?? (isPart ? undefined : defaults.out),
    node: values.node,
    program: values.program,
  };
}

function count(name: string, text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} is "${text}"; expected a whole number from 1`);
  return value;
}
