import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate that a test made, and its key. */
export interface TestCertificate {
  readonly certificate: string;
  readonly key: string;
}

interface CertificateOptions {
  readonly type?: 'ec' | 'rsa';
  /** Negative: it has expired. */
  readonly days?: number;
  /** Lines of an extension file of openssl. */
  readonly extensions?: readonly string[];
  /** The authority when left out. */
  readonly issuer?: TestCertificate;
  /** As `/CN=…/O=…`; of the first host when left out. */
  readonly subject?: string;
}

/** An authority of the test's own and certificates by it, in a temporary folder. */
export class TestCertificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'portico-certificates-'));
  readonly authority: string;
  readonly #authorityKey: string;
  #intermediate: TestCertificate | undefined;
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
   * @param hosts what it is for; wildcards and addresses too
   */
  make(
    name: string,
    hosts: readonly string[],
    { type = 'ec', days = 30, extensions: more = [], issuer, subject }: CertificateOptions = {},
  ): TestCertificate {
    const made = { certificate: join(this.folder, `${name}.pem`), key: join(this.folder, `${name}.key`) };
    const request = join(this.folder, `${name}.request`);
    const extensions = join(this.folder, `${name}.extensions`);
    const lines = hosts.length === 0 ? more : [`subjectAltName=${hosts.map(alternativeName).join(',')}`, ...more];
    writeFileSync(extensions, `${lines.join('\n')}\n`);
    const kind = type === 'ec' ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['-newkey', 'rsa:2048'];
    this.#openssl(
      'req',
      ...kind,
      '-nodes',
      '-subj',
      subject ?? `/CN=${hosts[0] ?? name}`,
      '-keyout',
      made.key,
      '-out',
      request,
    );
    this.#openssl(
      'x509',
      '-req',
      '-in',
      request,
      '-CA',
      issuer?.certificate ?? this.authority,
      '-CAkey',
      issuer?.key ?? this.#authorityKey,
      '-set_serial',
      String(this.#serial++),
      ...validity(days),
      '-extfile',
      extensions,
      '-out',
      made.certificate,
    );
    return made;
  }

  /** An authority between the first one and certificates. */
  get intermediate(): TestCertificate {
    this.#intermediate ??= this.make('intermediate', [], { extensions: ['basicConstraints=critical,CA:TRUE'] });
    return this.#intermediate;
  }

  /** A certificate that the authority's own key belongs to. */
  get root(): TestCertificate {
    return { certificate: this.authority, key: this.#authorityKey };
  }

  /** A list of certificates by the authority that are good no more, in PEM. */
  revocationList(revoked: readonly TestCertificate[]): string {
    const [database, configuration] = [join(this.folder, 'database'), join(this.folder, 'authority.conf')];
    writeFileSync(database, '');
    writeFileSync(
      configuration,
      `[ca]\ndefault_ca=authority\n[authority]\ndatabase=${database}\ndefault_md=sha256\ndefault_crl_days=30\n`,
    );
    const authority = ['-config', configuration, '-cert', this.authority, '-keyfile', this.#authorityKey];
    for (const { certificate } of revoked) this.#openssl('ca', ...authority, '-revoke', certificate);
    const list = join(this.folder, 'revoked');
    this.#openssl('ca', ...authority, '-gencrl', '-out', list);
    return readFileSync(list, 'utf8');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: 'ignore' });
  }
}

/** OpenSSL 3.4 and later refuse to make what has expired by a number of days, and have other options, which earlier ones have not. */
function validity(days: number): readonly string[] {
  if (days > 0) return ['-days', String(days)];
  const { stdout, stderr } = spawnSync('openssl', ['x509', '-help'], { encoding: 'utf8' });
  if (!`${stdout}${stderr}`.includes('-not_after')) return ['-days', String(days)];
  return ['-not_before', dateIn(days - 30), '-not_after', dateIn(days)];
}

/** As `20261231235959Z`. */
function dateIn(days: number): string {
  const text = new Date(Date.now() + days * 86_400_000).toISOString();
  return `${text.slice(0, 19).replace(/\D/g, '')}Z`;
}

function alternativeName(host: string): string {
  return isIP(host) === 0 ? `DNS:${host}` : `IP:${host}`;
}
