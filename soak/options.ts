import { parseArgs } from 'node:util';

/** What `npm run soak -- …` was asked for. */
export interface SoakOptions {
  readonly seconds: number;
  /** What is requested in which order follows from it; what the machine makes of it does not. */
  readonly seed: number;
  /** Clients that keep their connection; half as many open one for each request. */
  readonly clients: number;
  /** Folder for the report; undefined: standard output alone. */
  readonly out: string | undefined;
}

/** @throws Error with one sentence for an option that is unknown or has no such value */
export function readOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      seconds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      clients: { type: 'string', default: '16' },
      out: { type: 'string' },
    },
  });
  const seconds =
    values.seconds === undefined ? positive('minutes', values.minutes) * 60 : positive('seconds', values.seconds);
  return {
    seconds,
    seed: positive('seed', values.seed),
    clients: positive('clients', values.clients),
    out: values.out,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new Error(`--${name} is "${text}"; expected a number above 0`);
  return value;
}
