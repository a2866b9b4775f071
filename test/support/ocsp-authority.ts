import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestCertificate, TestCertificates } from './test-certificates.ts';

/** How a response is made: with whose key, and how long it counts. */
interface Signing {
  readonly signer: TestCertificate;
  /** Arguments of `openssl ocsp` such as `-ndays 1`. */
  readonly validity: readonly string[];
  readonly index: string;
}

const day = ['-ndays', '1'];

/** An authority whose responder answers as a test wants; `openssl ocsp` makes each response. */
export class OcspAuthority {
  readonly made = new TestCertificates();
  /** Requests that came. */
  requests = 0;
  answer: (request: Buffer, response: ServerResponse) => void = (request, response) => this.good(request, response);
  readonly #server: Server;
  #serial = 1000;

  private constructor() {
    this.#server = createServer((request, response) => void this.#receive(request, response));
  }

  static async start(): Promise<OcspAuthority> {
    const authority = new OcspAuthority();
    authority.#server.listen(0, '127.0.0.1');
    await once(authority.#server, 'listening');
    return authority;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ocsp`;
  }

  /** A certificate that names the responder, its issuer behind it. */
  make(name: string, hosts: readonly string[], { mustStaple = false, url = this.url } = {}): TestCertificate {
    const extensions = [`authorityInfoAccess=OCSP;URI:${url}`, ...(mustStaple ? ['tlsfeature=status_request'] : [])];
    const certificate = this.made.make(name, hosts, { extensions });
    appendFileSync(certificate.certificate, readFileSync(this.made.authority));
    return certificate;
  }

  /** One whom the authority has answer in its place. */
  get appointed(): TestCertificate {
    return this.made.make('appointed', [], { extensions: ['extendedKeyUsage=OCSPSigning'] });
  }

  good(request: Buffer, response: ServerResponse): void {
    response.end(this.sign(request, {}));
  }

  revoked(request: Buffer, response: ServerResponse): void {
    response.end(this.sign(request, { index: this.indexOf('R') }));
  }

  /** A response to a request, as `openssl ocsp` makes it. */
  sign(
    request: Buffer,
    { signer = this.made.root, validity = day, index = this.indexOf('V') }: Partial<Signing>,
  ): Buffer {
    const base = join(this.made.folder, `ocsp-${this.#serial++}`);
    writeFileSync(`${base}.request`, request);
    const who = ['-CA', this.made.authority, '-rsigner', signer.certificate, '-rkey', signer.key];
    const files = ['-index', index, '-reqin', `${base}.request`, '-respout', `${base}.response`];
    execFileSync('openssl', ['ocsp', ...files, ...who, ...validity], { stdio: 'ignore' });
    return readFileSync(`${base}.response`);
  }

  /** A database of an authority in which the first certificates are good (V) or revoked (R), or that knows none. */
  indexOf(state: 'V' | 'R' | 'none'): string {
    const file = join(this.made.folder, `index-${state}-${randomBytes(4).toString('hex')}`);
    const revokedAt = state === 'R' ? '250101000000Z' : '';
    const lines = Array.from({ length: state === 'none' ? 0 : 40 }, (_, at) => {
      const serial = (at + 1).toString(16).toUpperCase().padStart(2, '0');
      return `${state}\t491231235959Z\t${revokedAt}\t${serial}\tunknown\t/CN=${serial}\n`;
    });
    writeFileSync(file, lines.join(''));
    return file;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.made.remove();
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const chunks: Buffer[] = await request.toArray();
    response.setHeader('content-type', 'application/ocsp-response');
    this.answer(Buffer.concat(chunks), response);
  }
}
