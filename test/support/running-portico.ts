import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './free-port.ts';
import { type HttpAnswer, httpGet } from './http-get.ts';
import { PorticoProcess } from './portico-process.ts';
import { waitFor } from './wait-for.ts';

export interface RunningOptions {
  readonly workers?: number;
  /** Address to listen on; 127.0.0.1 when left out. */
  readonly host?: string;
  /** Ports to listen on beside the first. */
  readonly morePorts?: readonly number[];
  /** What serves the first port; `auto` when left out. */
  readonly engine?: 'uws' | 'node';
  /** TLS of the ports, as in the configuration. */
  readonly tls?: object;
  /** Listeners beside those, as in the configuration. */
  readonly moreListeners?: readonly object[];
}

/** The whole program with a configuration of the test's, on free ports, in a temporary folder; ended with the test. */
export class RunningPortico {
  readonly process: PorticoProcess;
  readonly folder: string;
  readonly port: number;
  readonly adminPort: number;

  private constructor(process: PorticoProcess, folder: string, port: number, adminPort: number) {
    this.process = process;
    this.folder = folder;
    this.port = port;
    this.adminPort = adminPort;
  }

  /** @param yaml everything but `listen`, `admin` and `workers` (2 when the options do not say) */
  static async start(t: TestContext, yaml: string, options: RunningOptions = {}): Promise<RunningPortico> {
    const folder = await mkdtemp(join(tmpdir(), 'portico-process-'));
    const [port, adminPort] = [await freePort(), await freePort()];
    const file = join(folder, 'portico.yaml');
    await writeFile(file, configuration(yaml, port, adminPort, options));
    const process = await PorticoProcess.serve(file, adminPort, { cwd: folder }).catch(async (error: unknown) => {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      throw error;
    });
    // The folder goes last: what runs may write into it.
    t.after(async () => {
      // Stuck or stopped workers must not hold up the end of the test.
      for (const pid of process.hasEnded ? [] : process.workerPids()) globalThis.process.kill(pid, 'SIGCONT');
      process.signal('SIGTERM');
      process.signal('SIGTERM');
      await process.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });
    return new RunningPortico(process, folder, port, adminPort);
  }

  get(path: string): Promise<HttpAnswer> {
    return httpGet(this.port, path);
  }

  /** Writes another configuration over the one it was started with; nothing is told to it. */
  async rewrite(yaml: string, options: RunningOptions = {}): Promise<void> {
    await writeFile(join(this.folder, 'portico.yaml'), configuration(yaml, this.port, this.adminPort, options));
  }

  /** Sends SIGHUP and waits until it was counted, one way or the other. */
  async reload(): Promise<'success' | 'failure'> {
    const before = await this.reloads();
    this.process.signal('SIGHUP');
    let after = before;
    await waitFor(async () => {
      after = await this.reloads();
      return after.success + after.failure > before.success + before.failure;
    }, 'the reload to be counted');
    return after.success > before.success ? 'success' : 'failure';
  }

  /** The sum over all series of a metric whose labels contain that text. */
  async metric(name: string, labels = ''): Promise<number> {
    const { body } = await httpGet(this.adminPort, '/metrics');
    const series = body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return series
      .filter((line) => line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async status(): Promise<Status> {
    const status: Status = JSON.parse((await httpGet(this.adminPort, '/status')).body);
    return status;
  }

  private async reloads() {
    const name = 'portico_config_reloads_total';
    return { success: await this.metric(name, '"success"'), failure: await this.metric(name, '"failure"') };
  }
}

/** The part of /status that tests read. */
export interface Status {
  readonly ready: boolean;
  readonly reason: string;
  readonly config: { readonly generation: number; readonly hash: string };
  readonly lastReload: { readonly success: boolean; readonly error?: string } | null;
  readonly roll: RollStatus | null;
  readonly lastRoll: RollStatus | null;
  readonly workers: readonly {
    readonly slot: number;
    readonly pid: number | null;
    readonly phase: string;
    readonly restarts: number;
    readonly generation: number | null;
    readonly inFlight: number;
    readonly connections: number;
  }[];
  readonly upstreams: readonly {
    readonly name: string;
    readonly servers: readonly { readonly server: string; readonly state: string; readonly ordered?: string }[];
  }[];
}

interface RollStatus {
  readonly reason: string;
  readonly replaced: number;
  readonly cut: number;
  readonly error?: string;
}

function configuration(yaml: string, port: number, adminPort: number, options: RunningOptions): string {
  const listen = [port, ...(options.morePorts ?? [])]
    .map((each) =>
      JSON.stringify({
        address: `${options.host ?? '127.0.0.1'}:${each}`,
        engine: options.engine ?? 'auto',
        tls: options.tls,
      }),
    )
    .concat((options.moreListeners ?? []).map((listener) => JSON.stringify(listener)))
    .join(', ');
  return `listen: [${listen}]\nadmin: { address: "127.0.0.1:${adminPort}" }\nworkers: ${options.workers ?? 2}\n${yaml}`;
}
