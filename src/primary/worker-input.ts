import type { WorkerInput } from '../admin/status-report.ts';
import type { SlotState, WorkerSlot } from './worker-slot.ts';

const phases: Readonly<Record<SlotState, string>> = {
  starting: 'starting',
  serving: 'ready',
  draining: 'draining',
  dead: 'waiting',
};

/** What /status says of a worker. */
export function workerInput(slot: WorkerSlot): WorkerInput {
  return {
    slot: slot.number,
    pid: slot.pid,
    phase: phases[slot.state],
    restarts: slot.starts > 0 ? slot.starts - 1 : 0,
    state: slot.workerState,
    reportedAt: slot.reportedAt,
  };
}
