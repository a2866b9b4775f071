import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate that a test made, and its key. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** An authority of the test's own and certificates by it, in a temporary folder. */
export class TestCertificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'portico-certificates-'));
  readonly authority: string;
  readonly #authorityKey: string;
  #serial = 1;

  constructor() {
    this.authority = join(this.folder, 'authority.pem.ca');
    this.#authorityKey = join(this.folder, 'authority.key.ca');
    this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '30',
      '-subj',
      '/CN=Test Authority',
      '-keyout',
      this.#authorityKey,
      '-out',
      this.authority,
    );
  }

  /**
   * @param name  of the files, without extension
   * @param hosts what it is for; wildcards too
   */
  make(
    name: string,
    hosts: readonly string[],
    { type = 'ec', days = 30 }: { type?: 'ec' | 'rsa'; days?: number } = {},
  ): TestCertificate {
    const made = { certificate: join(this.folder, `${name}.pem`), key: join(this.folder, `${name}.key`) };
    const request = join(this.folder, `${name}.request`);
    const extensions = join(this.folder, `${name}.extensions`);
    writeFileSync(extensions, `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}\n`);
    const kind = type === 'ec' ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['-newkey', 'rsa:2048'];
    this.#openssl('req', ...kind, '-nodes', '-subj', `/CN=${hosts[0] ?? name}`, '-keyout', made.key, '-out', request);
    this.#openssl(
      'x509',
      '-req',
      '-in',
      request,
      '-CA',
      this.authority,
      '-CAkey',
      this.#authorityKey,
      '-set_serial',
      String(this.#serial++),
      '-days',
      String(days),
      '-extfile',
      extensions,
      '-out',
      made.certificate,
    );
    return made;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: 'ignore' });
  }
}
