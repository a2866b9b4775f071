import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { controlRequest } from '../test/support/control-request.ts';
import { freePort } from '../test/support/free-port.ts';
import { httpGet } from '../test/support/http-get.ts';
import { PorticoProcess } from '../test/support/portico-process.ts';
import { waitFor } from '../test/support/wait-for.ts';

/** Where things are. */
export interface Place {
  readonly folder: string;
  readonly applicationPorts: readonly [number, number];
}

const rollTimeoutMs = 120_000;

/** The built program under test: two workers, two application servers, everything else as it is by default. */
export class PorticoUnderTest {
  readonly process: PorticoProcess;
  readonly port: number;
  readonly adminPort: number;
  private readonly place: Place;
  private version = 0;

  private constructor(process: PorticoProcess, place: Place, port: number, adminPort: number) {
    this.process = process;
    this.place = place;
    this.port = port;
    this.adminPort = adminPort;
  }

  static async start(place: Place): Promise<PorticoUnderTest> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const file = join(place.folder, 'portico.yaml');
    writeFileSync(file, configuration(place, port, adminPort, 0));
    const process = await PorticoProcess.serve(file, adminPort, { cwd: place.folder });
    return new PorticoUnderTest(process, place, port, adminPort);
  }

  /** Reloads another configuration and waits until it is in force. @throws when it is refused */
  async reload(): Promise<void> {
    this.version += 1;
    const text = configuration(this.place, this.port, this.adminPort, this.version);
    writeFileSync(join(this.place.folder, 'portico.yaml'), text);
    const before = await this.metric('portico_config_reloads_total', 'success');
    this.process.signal('SIGHUP');
    await waitFor(
      async () => (await this.metric('portico_config_reloads_total', 'success')) > before,
      'the reload to succeed',
    );
  }

  /** Replaces all workers and waits until that is done. @throws when it cannot */
  async roll(): Promise<void> {
    const before = await this.metric('portico_worker_rolls_total', 'success');
    const { status } = await controlRequest(this.adminPort, '/workers/roll');
    if (status !== 202) throw new Error(`the roll was answered with ${status}`);
    const done = async (): Promise<boolean> => (await this.metric('portico_worker_rolls_total', 'success')) > before;
    await waitFor(done, 'the roll to end', rollTimeoutMs);
  }

  killOneWorker(): void {
    const [pid] = this.process.workerPids();
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  /** The sum over all series whose labels contain that text. */
  async metric(name: string, labels = ''): Promise<number> {
    const { body } = await httpGet(this.adminPort, '/metrics');
    const series = body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const wanted = series.filter((line) => line.includes(labels));
    return wanted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }
}

/** Each version differs in a route, in a weight and in the cache's size, so that a reload has something to do. */
function configuration({ folder, applicationPorts }: Place, port: number, adminPort: number, version: number): string {
  const [first, second] = applicationPorts;
  return `listen: ["127.0.0.1:${port}"]
admin: { address: "127.0.0.1:${adminPort}" }
workers: 2
accessLog: { path: ${join(folder, 'access.log')} }
fileCache: { size: ${32 + (version % 3)}MB }
upstreams:
  app:
    servers:
      - { url: "http://127.0.0.1:${first}", weight: ${1 + (version % 2)} }
      - { url: "http://127.0.0.1:${second}" }
sites:
  - routes:
      - { path: /version/${version}, respond: { body: "${version}" } }
      - { path: /static/, static: { root: ${join(folder, 'static')} } }
      - { path: /, proxy: { upstream: app } }
`;
}
