import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { TlsConfig } from '../tls/tls-config.ts';
import { parseAddressRange } from './address-range.ts';
import { availableCpus } from './available-cpus.ts';
import { checkAcmeListeners } from './compile-acme.ts';
import { compileCaches } from './compile-cache.ts';
import { compileConcurrencyLimits, compileRateLimits } from './compile-limits.ts';
import { compileSites } from './compile-sites.ts';
import { compileTls } from './compile-tls.ts';
import { compileUpstreams } from './compile-upstreams.ts';
import type { AdminListener, Config, ListenAddress } from './config.ts';
import { Diagnosis } from './diagnosis.ts';
import { fileMistake, folderMistake, writableFolderMistake } from './file-check.ts';
import type { Finding } from './finding.ts';
import { isLoopback, overlaps, parseListenAddress, sameAddress } from './listen-address.ts';
import type { ParsedConfig } from './schema.ts';
import type { KeyPath } from './schema-walk.ts';
import { uwsObstacles } from './uws-obstacles.ts';

/** For temporary files that may be large: unlike /tmp it is not memory (Filesystem Hierarchy Standard, section 5.15). */
const lastingFolder = '/var/tmp';

interface Compilation {
  /** Only fit for use when there are no findings. */
  readonly config: Config;
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
}

/**
 * Checks what a schema cannot: references, duplicates, addresses, and files and folders on disk.
 *
 * @param baseFolder what relative paths are relative to
 * @param given keys that the source has; the others have their defaults
 */
export function compileConfig(parsed: ParsedConfig, baseFolder: string, given: ReadonlySet<string>): Compilation {
  const diagnosis = new Diagnosis(baseFolder);
  const listen = compileListen(parsed, diagnosis);
  const config: Config = {
    ...parsed,
    listen,
    admin: compileAdmin(parsed, listen, given.has('admin'), diagnosis),
    workers: parsed.workers === 'auto' ? availableCpus() : parsed.workers,
    accessLog: compileAccessLog(parsed, diagnosis),
    spool: { ...parsed.spool, directory: compileSpoolDirectory(parsed, diagnosis) },
    caches: compileCaches(parsed, diagnosis),
    rateLimits: compileRateLimits(parsed, diagnosis),
    concurrencyLimits: compileConcurrencyLimits(parsed, diagnosis),
    limitSecret: '',
    upstreams: compileUpstreams(parsed.upstreams, diagnosis),
    sites: compileSites(parsed, diagnosis),
  };
  checkTrustedProxies(parsed, diagnosis);
  checkAcmeListeners(listen, diagnosis);
  return { config, findings: diagnosis.findings, warnings: diagnosis.warnings };
}

function compileListen(parsed: ParsedConfig, diagnosis: Diagnosis): ListenAddress[] {
  const addresses: ListenAddress[] = [];
  for (const [index, entry] of parsed.listen.entries()) {
    const text = typeof entry === 'string' ? entry : entry.address;
    const path: KeyPath = typeof entry === 'string' ? ['listen', index] : ['listen', index, 'address'];
    const checked = parseListenAddress(text);
    if ('mistake' in checked) {
      diagnosis.report(path, checked.mistake);
    } else if (addresses.some((other) => sameAddress(other, checked.value))) {
      diagnosis.report(path, { message: `"${text}" is there twice`, found: `"${text}"`, allowed: 'each address once' });
    } else {
      addresses.push(
        typeof entry === 'string' ? checked.value : compileListener(entry, index, checked.value, parsed, diagnosis),
      );
    }
  }
  return addresses;
}

function compileListener(
  { engine, tls, redirectToHttps, proxyProtocol }: Exclude<ParsedConfig['listen'][number], string>,
  index: number,
  address: ListenAddress,
  { sites }: ParsedConfig,
  diagnosis: Diagnosis,
): ListenAddress {
  checkProxyProtocol(proxyProtocol, engine, index, diagnosis);
  // Only that engine reads the header.
  const proxied = proxyProtocol === undefined ? {} : { engine: 'node' as const, proxyProtocol };
  if (tls === undefined) return { ...address, engine, redirectToHttps, ...proxied };
  if (redirectToHttps !== false) {
    const message = 'redirectToHttps beside tls: who comes here has come over HTTPS';
    const allowed = 'redirectToHttps on an address without tls';
    diagnosis.report(['listen', index, 'redirectToHttps'], { message, found: String(redirectToHttps), allowed });
  }
  const compiled = compileTls(tls, ['listen', index, 'tls'], sites, diagnosis);
  return { ...address, engine: engineForTls(engine, compiled, index, diagnosis), ...proxied, tls: compiled };
}

/** The fast engine where it can do all that is asked for. */
function engineForTls(
  engine: 'auto' | 'uws' | 'node',
  tls: TlsConfig,
  index: number,
  diagnosis: Diagnosis,
): 'auto' | 'uws' | 'node' {
  if (engine === 'node') return engine;
  const obstacles = uwsObstacles(tls);
  if (obstacles.length === 0) return engine;
  if (engine === 'uws') {
    const message = `the uws engine cannot do what tls asks for: ${obstacles.join(', ')}`;
    diagnosis.report(['listen', index, 'engine'], { message, found: 'uws', allowed: 'node or auto' });
  }
  return 'node';
}

function checkProxyProtocol(
  from: readonly string[] | undefined,
  engine: 'auto' | 'uws' | 'node',
  index: number,
  diagnosis: Diagnosis,
): void {
  for (const [at, text] of (from ?? []).entries()) {
    const checked = parseAddressRange(text);
    const path = ['listen', index, 'proxyProtocol', at];
    if ('mistake' in checked) diagnosis.report(path, checked.mistake);
    else if (checked.value.prefixLength === 0) {
      diagnosis.warn(`listen[${index}].proxyProtocol has ${text}: every client can choose its address`);
    }
  }
  if (from === undefined || engine !== 'uws') return;
  const message = 'the uws engine cannot tell whose PROXY protocol it may believe';
  diagnosis.report(['listen', index, 'engine'], {
    message,
    found: 'uws',
    allowed: 'node or auto beside proxyProtocol',
  });
}

function compileAdmin(
  { admin }: ParsedConfig,
  listen: readonly ListenAddress[],
  isGiven: boolean,
  diagnosis: Diagnosis,
): AdminListener | undefined {
  if (admin === false) return undefined;
  const path = ['admin', 'address'];
  const checked = parseListenAddress(admin.address);
  if ('mistake' in checked) {
    diagnosis.report(path, checked.mistake);
    return undefined;
  }
  const clash = listen.find((address) => overlaps(address, checked.value));
  if (clash) {
    const message = `the listener "${clash.address}" and the admin listener "${admin.address}" want the same port`;
    // The mistake stands where something was written: the admin address is often the default one.
    const place = isGiven ? path : ['listen', listen.indexOf(clash)];
    diagnosis.report(place, { message, found: `port ${clash.port} twice`, allowed: 'another port for one of them' });
  }
  if (!isLoopback(checked.value)) {
    diagnosis.warn(`admin.address ${admin.address} may be reached from other machines: metrics and status tell much`);
  }
  return { ...checked.value, control: admin.control };
}

function compileAccessLog({ accessLog }: ParsedConfig, diagnosis: Diagnosis): ParsedConfig['accessLog'] {
  if (accessLog === false || accessLog.path === 'stdout' || accessLog.path === 'stderr') return accessLog;
  const path = diagnosis.absolute(accessLog.path);
  // The file need not exist yet; its folder must, and nothing else may have its name.
  const mistake = folderMistake(dirname(path)) ?? fileMistake(path, { mayBeMissing: true });
  if (mistake) diagnosis.report(['accessLog', 'path'], mistake);
  return { ...accessLog, path };
}

function compileSpoolDirectory({ spool }: ParsedConfig, diagnosis: Diagnosis): string {
  if (spool.directory === undefined) return writableFolderMistake(lastingFolder) ? tmpdir() : lastingFolder;
  const path = diagnosis.absolute(spool.directory);
  const mistake = writableFolderMistake(path);
  if (mistake) diagnosis.report(['spool', 'directory'], mistake);
  return path;
}

function checkTrustedProxies({ trustedProxies }: ParsedConfig, diagnosis: Diagnosis): void {
  for (const [index, text] of trustedProxies.entries()) {
    const checked = parseAddressRange(text);
    if ('mistake' in checked) diagnosis.report(['trustedProxies', index], checked.mistake);
    else if (checked.value.prefixLength === 0) {
      diagnosis.warn(`trustedProxies has ${text}: every client can choose the address that it seems to come from`);
    }
  }
}
