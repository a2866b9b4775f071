import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { TestCertificates } from './test-certificates.ts';
import { waitFor } from './wait-for.ts';

export interface PebbleOptions {
  /** Where it looks for HTTP-01 challenges. */
  readonly httpPort?: number;
  /** Where it looks for TLS-ALPN-01 challenges. */
  readonly tlsPort?: number;
  /** Percent of good nonces that it rejects; 5 when left out, as is its way. */
  readonly rejectedNonces?: number;
  /** Keys of external accounts by their identifier, one of which every account has to be bound to then. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
}

/** Debian's pebble: an authority for tests, with a DNS of its own in which every name is 127.0.0.1. */
export class Pebble {
  readonly certificates = new TestCertificates();
  readonly port: number;
  readonly output = { text: '' };
  readonly #managementPort: number;
  readonly #children: ChildProcess[] = [];

  private constructor(port: number, managementPort: number) {
    this.port = port;
    this.#managementPort = managementPort;
  }

  static async start(options: PebbleOptions = {}): Promise<Pebble> {
    const pebble = new Pebble(await freePort(), await freePort());
    try {
      await pebble.#start(options);
    } catch (error) {
      await pebble.stop();
      throw new Error(`pebble did not start:\n${pebble.output.text}`, { cause: error });
    }
    return pebble;
  }

  get directory(): string {
    return `https://localhost:${this.port}/dir`;
  }

  /** PEM file that its own server's certificate is checked against. */
  get authority(): string {
    return this.certificates.authority;
  }

  /** PEM of the root of what it issues. */
  async root(): Promise<string> {
    return this.#get(`https://localhost:${this.#managementPort}/roots/0`);
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await waitFor(
      () => this.#children.every((child) => child.signalCode !== null || child.exitCode !== null),
      'its end',
    );
    this.certificates.remove();
  }

  async #start({ httpPort = 1, tlsPort = 1, rejectedNonces = 5, externalAccounts }: PebbleOptions): Promise<void> {
    const dnsPort = await freePort();
    const own = this.certificates.make('localhost', ['localhost']);
    const file = join(this.certificates.folder, 'pebble.json');
    const pebble = {
      listenAddress: `127.0.0.1:${this.port}`,
      managementListenAddress: `127.0.0.1:${this.#managementPort}`,
      certificate: own.certificate,
      privateKey: own.key,
      httpPort,
      tlsPort,
      externalAccountBindingRequired: externalAccounts !== undefined,
      externalAccountMACKeys: externalAccounts ?? {},
    };
    writeFileSync(file, JSON.stringify({ pebble }));
    const management = await freePort();
    const listening = ['-dns01', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${management}`];
    const nothing = ['-http01', '-https01', '-tlsalpn01', '-defaultIPv6'].flatMap((option) => [option, '']);
    this.#run('pebble-challtestsrv', [...listening, ...nothing]);
    this.#run('pebble', ['-config', file, '-dnsserver', `127.0.0.1:${dnsPort}`], {
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_AUTHZREUSE: '0',
      PEBBLE_WFE_NONCEREJECT: String(rejectedNonces),
    });
    await waitFor(() => this.#get(this.directory).then(Boolean, () => false), 'its directory');
  }

  #run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => (this.output.text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.output.text += chunk.toString()));
    this.#children.push(child);
  }

  #get(url: string): Promise<string> {
    const agent = new Agent({ ca: readFileSync(this.authority), keepAlive: false });
    return new Promise((resolve, reject) => {
      const request = get(url, { agent, timeout: 2000 }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
      });
      request.on('timeout', () => request.destroy(new Error('no answer')));
      request.on('error', reject);
    });
  }
}
