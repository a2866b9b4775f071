import { parseArgs } from 'node:util';

/** What `npm run bench -- …` was asked for. */
export interface BenchOptions {
  /** Short form: one round of a second, few connections, nothing written unless `out` says where. */
  readonly quick: boolean;
  /** How often each pair of server and work is measured; the median counts. */
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** Length of the unmeasured load before it, which lets just-in-time compilers do their work. */
  readonly warmUpSeconds: number;
  /** Names of servers or works; none: all. */
  readonly only: readonly string[];
  /** Idle keep-alive connections held for the memory figure. */
  readonly idleConnections: number;
  /** How often each server is started for the start-up figure. */
  readonly starts: number;
  /** File for the table; undefined: standard output alone. */
  readonly out: string | undefined;
  /** Node.js that runs Portico. */
  readonly node: string;
  /** Portico's main.js. */
  readonly program: string;
}

/** @throws Error with one sentence for an option that is unknown or has no such value */
export function readOptions(args: readonly string[], defaults: { program: string; out: string }): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      out: { type: 'string' },
      node: { type: 'string', default: process.execPath },
      program: { type: 'string', default: defaults.program },
    },
  });
  const { quick } = values;
  return {
    quick,
    rounds: count('rounds', values.rounds, quick ? 1 : 3),
    seconds: count('seconds', values.seconds, quick ? 1 : 4),
    warmUpSeconds: quick ? 0 : 2,
    only: values.only.flatMap((names) => names.split(',')),
    idleConnections: quick ? 500 : 10_000,
    starts: quick ? 1 : 5,
    out: values.out ?? (quick || values.only.length > 0 ? undefined : defaults.out),
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
