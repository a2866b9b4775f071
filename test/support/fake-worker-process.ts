import { EventEmitter } from 'node:events';
import type { ToPrimary, ToWorker, WorkerState } from '../../src/ipc/message.ts';
import type { WorkerProcess } from '../../src/primary/fork-worker.ts';

/** A worker without a process: keeps what it is told and says what the test wants. */
export class FakeWorkerProcess extends EventEmitter implements WorkerProcess {
  readonly pid: number | undefined;
  readonly slot: number;
  connected = true;
  readonly received: ToWorker[] = [];
  readonly signals: string[] = [];

  constructor(slot: number, pid: number | undefined) {
    super();
    this.slot = slot;
    this.pid = pid;
  }

  send(message: unknown, _handle: unknown, callback: (error: Error | null) => void): boolean {
    this.received.push(message as ToWorker);
    callback(null);
    return true;
  }

  /** SIGKILL ends it at once, as the system does. */
  kill(signal: NodeJS.Signals): boolean {
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.exit(null, 'SIGKILL');
    return true;
  }

  exit(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.connected = false;
    this.emit('disconnect');
    this.emit('exit', code, signal);
  }

  say(message: ToPrimary): void {
    this.emit('message', message);
  }

  hello(): void {
    this.say({ type: 'hello', pid: this.pid ?? 0, engine: 'fake 1.0' });
  }

  /** Loads and takes the configuration that it was given last. */
  serve(): void {
    this.hello();
    this.confirm();
  }

  /** Says that the configuration given last is in force. */
  confirm(): void {
    this.say({ type: 'configured', generation: this.lastGeneration });
  }

  report(state: Partial<WorkerState> = {}, id?: number): void {
    this.say({
      type: 'metrics',
      delta: { added: [], values: [] },
      state: {
        pid: this.pid ?? 0,
        generation: 1,
        inFlight: 0,
        connections: 0,
        rssBytes: 0,
        listeners: [],
        servers: [],
        ...state,
      },
      ...(id === undefined ? {} : { id }),
    });
  }

  get lastGeneration(): number {
    return this.received.findLast((message) => message.type === 'configure')?.generation ?? 0;
  }

  /** Types of what it was told. */
  get told(): string[] {
    return this.received.map((message) => message.type);
  }
}

/** Forks fakes and keeps all of them, in order. */
export class FakeForker {
  readonly processes: FakeWorkerProcess[] = [];

  readonly fork = (slot: number): FakeWorkerProcess => {
    const child = new FakeWorkerProcess(slot, 1000 + this.processes.length);
    this.processes.push(child);
    return child;
  };

  /** The newest process of a slot. */
  of(slot: number): FakeWorkerProcess {
    const child = this.processes.findLast((process) => process.slot === slot);
    if (child === undefined) throw new Error(`slot ${slot} has no process`);
    return child;
  }
}
