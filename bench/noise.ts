import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

/** Scheduler ticks a second; the unit of /proc on every Linux that Node.js runs on. */
const ticksPerSecond = 100;

/** What else the machine did during a run, so that a reader can judge its figures. */
export interface Noise {
  /** Of the minute before it began. */
  readonly loadAverage: number;
  readonly minutes: number;
  /** Share of all processors' time that the hypervisor gave to somebody else, percent. */
  readonly stealPercent: number;
  /** Share that processes used which the benchmark did not start, percent. */
  readonly othersPercent: number;
}

/** Begins to watch. The function returned must be called when all children have ended: only then /proc counts their time as ours. */
export function watchNoise(): () => Noise {
  const loadAverage = loadavg()[0] ?? 0;
  const startedAt = Date.now();
  const before = { machine: machineTicks(), own: ownTicks() };
  return () => {
    const machine = machineTicks();
    const total = Math.max(1, machine.total - before.machine.total);
    const busy = machine.busy - before.machine.busy;
    const percent = (ticks: number): number => Math.max(0, (100 * ticks) / total);
    return {
      loadAverage,
      minutes: (Date.now() - startedAt) / 60_000,
      stealPercent: percent(machine.steal - before.machine.steal),
      othersPercent: percent(busy - (ownTicks() - before.own)),
    };
  };
}

function machineTicks(): { total: number; busy: number; steal: number } {
  const fields = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
  // Time of guests is in the user time already. Interrupts belong to nobody.
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, hardInterrupts = 0, softInterrupts = 0, steal = 0] =
    fields;
  const busy = user + nice + system;
  return { total: busy + idle + iowait + hardInterrupts + softInterrupts + steal, busy, steal };
}

/** Of this process and all children that have ended. */
function ownTicks(): number {
  const { user, system } = process.cpuUsage();
  // The name of the process, in parentheses, may have spaces.
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .map(Number);
  const childrenTicks = (fields[13] ?? 0) + (fields[14] ?? 0);
  return childrenTicks + ((user + system) / 1e6) * ticksPerSecond;
}
