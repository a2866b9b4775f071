/** Runs a constant load, described as JSON in the first argument, and prints the result as JSON: a process of its own. */
import { type ConstantLoad, runConstantRate } from './constant-rate.ts';

const load = JSON.parse(process.argv[2] ?? '') as ConstantLoad;
process.stdout.write(JSON.stringify(await runConstantRate(load)));
