import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AcmeConfig, certificateFiles } from '../../src/acme/acme-config.ts';
import type { ChallengeResponse } from '../../src/acme/challenge-response.ts';
import { PendingChallenges } from '../../src/acme/pending-challenges.ts';
import type { ListenAddress } from '../../src/config/config.ts';
import { createNodeEngine } from '../../src/listener/node-engine.ts';
import { metricNames } from '../../src/metrics/names.ts';
import { AcmeIssuer } from '../../src/primary/acme-issuer.ts';
import { TlsTerminator } from '../../src/tls/tls-terminator.ts';
import { plain } from './contract-server.ts';
import { FakeRecorder } from './fake-recorder.ts';
import { RecordingLogger } from './recording-logger.ts';
import type { TestCertificate } from './test-certificates.ts';
import { waitFor } from './wait-for.ts';

/** The issuer of the primary in the process of the test, with listeners that answer challenges as those of workers do. */
export class RunningIssuer {
  readonly logger = new RecordingLogger();
  readonly recorder = new FakeRecorder();
  readonly challenges = new PendingChallenges();
  readonly storage: string;
  /** Every announcement to the workers. */
  readonly announced: (readonly ChallengeResponse[])[] = [];
  httpPort = 0;
  tlsPort = 0;
  /** Whether workers say that they answer what was announced; they do answer. */
  confirms = true;
  /** Milliseconds that the issuer's clock is ahead. */
  aheadMs = 0;
  #issuer: AcmeIssuer | undefined;
  readonly #http: Server;
  readonly #engine: ReturnType<typeof createNodeEngine>;

  constructor(storage = mkdtempSync(join(tmpdir(), 'portico-acme-'))) {
    this.storage = storage;
    this.#http = createServer((request, response) => {
      const keyAuthorization = this.challenges.keyAuthorization(request.url ?? '');
      response.writeHead(keyAuthorization === undefined ? 404 : 200).end(keyAuthorization);
    });
    const timeouts = { requestBodyMs: 60_000, sendMs: 60_000, minBodyRate: 0, minBodyRateGraceMs: 0 };
    const handler = {
      handle: (exchange: Parameters<Parameters<typeof createNodeEngine>[0]['handle']>[0]) =>
        exchange.respond(plain, Buffer.from('hello')),
      refuse: () => undefined,
      finished: () => undefined,
    };
    this.#engine = createNodeEngine(handler, timeouts);
  }

  /** Opens the listener for HTTP-01. */
  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    this.httpPort = (this.#http.address() as AddressInfo).port;
  }

  /**
   * Opens the listener for TLS-ALPN-01, which has nothing but what stands in until it is issued.
   * @param more certificates beside it
   */
  async listenSecurely(config: AcmeConfig, more: readonly TestCertificate[] = []): Promise<TlsTerminator> {
    const tls = {
      certificates: [certificateFiles(config), ...more],
      acme: config,
      unknownNames: 'refuse',
      minVersion: '1.2',
      handshakeTimeout: 10_000,
      ocsp: 'auto',
      http2: true,
    } as const;
    const terminator = new TlsTerminator(tls, undefined, { challenges: this.challenges });
    const address = { address: 'tls', host: '127.0.0.1', port: this.tlsPort, engine: 'node', tls } as const;
    this.tlsPort = await this.#engine.listen(address, terminator);
    return terminator;
  }

  config(authority: { readonly directory: string; readonly authority: string }, more: Partial<AcmeConfig> = {}) {
    const config: AcmeConfig = {
      domains: ['a.test'],
      email: 'operator@a.test',
      directory: authority.directory,
      authority: authority.authority,
      storage: this.storage,
      challenges: ['http-01'],
      keyType: 'ecdsa',
      renewAt: 66,
      ...more,
    };
    return config;
  }

  /** Begins, or goes on after `crash`, or after a change of the configuration. */
  run(...configs: readonly AcmeConfig[]): void {
    this.#issuer ??= new AcmeIssuer({
      logger: this.logger,
      recorder: this.recorder,
      broadcast: ({ responses }) => {
        this.announced.push(responses);
        this.challenges.replace(responses);
        return this.confirms ? [] : [1];
      },
      now: () => Date.now() + this.aheadMs,
      random: () => 0,
    });
    const listen = [{ address: 'plain', host: undefined, port: 80 }, ...configs.map(listenerOf)];
    this.#issuer.prepare(listen);
    this.#issuer.applyConfig(listen);
  }

  /** Ends the issuer as the end of its process does: nothing of it is tidied up. */
  crash(): void {
    this.#issuer?.close();
    this.#issuer = undefined;
  }

  /** What lies in the storage for that certificate. */
  leaf(config: AcmeConfig): X509Certificate {
    return new X509Certificate(readFileSync(certificateFiles(config).certificate));
  }

  /** Waits until so many orders have ended that way. */
  ordered(name: string, result: string, count = 1): Promise<void> {
    const reached = (): boolean => {
      const counted = this.recorder.value(metricNames.acmeOrders, { certificate: name, result });
      return counted >= count;
    };
    return waitFor(reached, `${count} orders that end with ${result}`).catch((error: unknown) => {
      throw new Error(this.logger.messages().join('\n'), { cause: error });
    });
  }

  close(): void {
    this.crash();
    this.#http.close();
    this.#http.closeAllConnections();
    this.#engine.close();
    rmSync(this.storage, { recursive: true, force: true });
  }
}

function listenerOf(acme: AcmeConfig, index: number): ListenAddress {
  return {
    address: `secure ${index}`,
    host: undefined,
    port: 443,
    engine: 'node',
    tls: {
      certificates: [certificateFiles(acme)],
      acme,
      unknownNames: 'default',
      minVersion: '1.2',
      handshakeTimeout: 10_000,
      ocsp: 'auto',
      http2: true,
    },
  };
}
