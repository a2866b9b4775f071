import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { parseAddressRange } from './address-range.ts';
import { availableCpus } from './available-cpus.ts';
import { compileAccount } from './compile-account.ts';
import { checkAcmeListeners } from './compile-acme.ts';
import { compileAdmin } from './compile-admin.ts';
import { compileCaches } from './compile-cache.ts';
import { compileConcurrencyLimits, compileRateLimits } from './compile-limits.ts';
import { compileSites } from './compile-sites.ts';
import { compileSocket } from './compile-socket.ts';
import { compileTls } from './compile-tls.ts';
import { firstUpgrade } from './compile-upgrade.ts';
import { compileUpstreams } from './compile-upstreams.ts';
import type { Account, Config, ListenAddress } from './config.ts';
import { Diagnosis } from './diagnosis.ts';
import { fileMistake, folderMistake, isOpenToAll, writableFolderMistake } from './file-check.ts';
import type { Finding } from './finding.ts';
import { parseListenAddress, sameAddress } from './listen-address.ts';
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
  const { user, group, ...others } = parsed;
  const account = compileAccount({ user, group }, diagnosis);
  const config: Config = {
    ...others,
    account,
    listen,
    admin: compileAdmin(parsed, listen, given.has('admin'), diagnosis),
    workers: parsed.workers === 'auto' ? availableCpus() : parsed.workers,
    accessLog: compileAccessLog(parsed, diagnosis),
    spool: { ...parsed.spool, directory: compileSpoolDirectory(parsed, account, diagnosis) },
    caches: compileCaches(parsed, account, diagnosis),
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
    const checked = parseListenAddress(text, diagnosis.absolute('.'));
    if ('mistake' in checked) {
      diagnosis.report(path, checked.mistake);
    } else if (addresses.some((other) => sameAddress(other, checked.value))) {
      diagnosis.report(path, { message: `"${text}" is there twice`, found: `"${text}"`, allowed: 'each address once' });
    } else {
      addresses.push(
        typeof entry === 'string'
          ? bareListener(checked.value, parsed)
          : compileListener(entry, index, checked.value, parsed, diagnosis),
      );
    }
  }
  return addresses;
}

function bareListener(address: ListenAddress, { sites }: ParsedConfig): ListenAddress {
  const takesNode = address.socket !== undefined || firstUpgrade(sites) !== undefined;
  return takesNode ? { ...address, engine: 'node' } : address;
}

function compileListener(
  { engine: wanted, tls, redirectToHttps, proxyProtocol, ...file }: Exclude<ParsedConfig['listen'][number], string>,
  index: number,
  plain: ListenAddress,
  { sites, user }: ParsedConfig,
  diagnosis: Diagnosis,
): ListenAddress {
  const address = compileSocket(plain, file, ['listen', index], diagnosis);
  const engine = engineForUpgrades(wanted, sites, index, diagnosis);
  if (address.socket !== undefined) checkSocketListener({ engine, tls, proxyProtocol }, index, diagnosis);
  checkProxyProtocol(proxyProtocol, engine, index, diagnosis);
  // Only that engine reads the header.
  const proxied = proxyProtocol === undefined ? {} : { engine: 'node' as const, proxyProtocol };
  if (tls === undefined) {
    const only = address.socket === undefined ? {} : { engine: 'node' as const };
    return { ...address, engine, redirectToHttps, ...proxied, ...only };
  }
  if (redirectToHttps !== false) {
    const message = 'redirectToHttps beside tls: who comes here has come over HTTPS';
    const allowed = 'redirectToHttps on an address without tls';
    diagnosis.report(['listen', index, 'redirectToHttps'], { message, found: String(redirectToHttps), allowed });
  }
  const compiled = compileTls(tls, ['listen', index, 'tls'], sites, diagnosis);
  const further = user === undefined ? [] : ['user (its workers may not read keys)'];
  const chosen = engineForTls(engine, [...uwsObstacles(compiled), ...further], index, diagnosis);
  return { ...address, engine: address.socket === undefined ? chosen : 'node', ...proxied, tls: compiled };
}

/** Any listener may have requests of any site. */
function engineForUpgrades(
  engine: 'auto' | 'uws' | 'node',
  sites: ParsedConfig['sites'],
  index: number,
  diagnosis: Diagnosis,
): 'auto' | 'uws' | 'node' {
  const upgrade = firstUpgrade(sites);
  if (upgrade === undefined) return engine;
  if (engine === 'uws') {
    const message = `the uws engine lets nobody have the bytes of a connection, which ${upgrade} asks for`;
    diagnosis.report(['listen', index, 'engine'], { message, found: 'uws', allowed: 'node or auto' });
  }
  return 'node';
}

/** The fast engine where it can do all that is asked for. */
function engineForTls(
  engine: 'auto' | 'uws' | 'node',
  obstacles: readonly string[],
  index: number,
  diagnosis: Diagnosis,
): 'auto' | 'uws' | 'node' {
  if (engine === 'node') return engine;
  if (obstacles.length === 0) return engine;
  if (engine === 'uws') {
    const message = `the uws engine cannot do what tls asks for: ${obstacles.join(', ')}`;
    diagnosis.report(['listen', index, 'engine'], { message, found: 'uws', allowed: 'node or auto' });
  }
  return 'node';
}

/** What does not go together on a Unix socket. */
function checkSocketListener(
  {
    engine,
    tls,
    proxyProtocol,
  }: Pick<Exclude<ParsedConfig['listen'][number], string>, 'engine' | 'tls' | 'proxyProtocol'>,
  index: number,
  diagnosis: Diagnosis,
): void {
  if (engine === 'uws') {
    const message = 'the uws engine cannot share a Unix socket among workers';
    diagnosis.report(['listen', index, 'engine'], { message, found: 'uws', allowed: 'node or auto on a Unix socket' });
  }
  if (tls !== undefined && proxyProtocol !== undefined) {
    const message = 'proxyProtocol beside tls on a Unix socket';
    const allowed = 'one of both; or both on a port';
    diagnosis.report(['listen', index, 'proxyProtocol'], { message, found: proxyProtocol.join(', '), allowed });
  }
}

function checkProxyProtocol(
  from: readonly string[] | undefined,
  engine: 'auto' | 'uws' | 'node',
  index: number,
  diagnosis: Diagnosis,
): void {
  for (const [at, text] of (from ?? []).entries()) {
    if (text === 'unix') continue;
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

function compileAccessLog({ accessLog }: ParsedConfig, diagnosis: Diagnosis): ParsedConfig['accessLog'] {
  if (accessLog === false || accessLog.path === 'stdout' || accessLog.path === 'stderr') return accessLog;
  const path = diagnosis.absolute(accessLog.path);
  // The file need not exist yet; its folder must, and nothing else may have its name.
  const mistake = folderMistake(dirname(path)) ?? fileMistake(path, { mayBeMissing: true });
  if (mistake) diagnosis.report(['accessLog', 'path'], mistake);
  return { ...accessLog, path };
}

function compileSpoolDirectory({ spool }: ParsedConfig, account: Account | undefined, diagnosis: Diagnosis): string {
  if (spool.directory === undefined) return writableFolderMistake(lastingFolder) ? tmpdir() : lastingFolder;
  const path = diagnosis.absolute(spool.directory);
  const mistake = writableFolderMistake(path, account);
  if (mistake) diagnosis.report(['spool', 'directory'], mistake);
  else if (isOpenToAll(path, true)) diagnosis.warn(`spool.directory: everybody on this machine may write into ${path}`);
  return path;
}

function checkTrustedProxies({ trustedProxies }: ParsedConfig, diagnosis: Diagnosis): void {
  for (const [index, text] of trustedProxies.entries()) {
    if (text === 'unix') continue;
    const checked = parseAddressRange(text);
    if ('mistake' in checked) diagnosis.report(['trustedProxies', index], checked.mistake);
    else if (checked.value.prefixLength === 0) {
      diagnosis.warn(`trustedProxies has ${text}: every client can choose the address that it seems to come from`);
    }
  }
}
