import { resolve } from 'node:path';
import type { ConfigOverrides, FlagsSource } from './config-source.ts';
import type { Locate } from './finding.ts';
import type { LoadedSource } from './loaded-source.ts';
import type { ProblemPlace } from './problem.ts';
import type { KeyPath } from './schema-walk.ts';

/** Makes a configuration of flags alone: folders served, everything else to the upstream when there is one. */
export function readFlagsSource(source: FlagsSource): LoadedSource {
  const routes: object[] = source.static.map(({ prefix, folder }) => ({ path: prefix, static: { root: folder } }));
  if (source.upstream.length > 0) routes.push({ path: '/', proxy: { upstream: 'app' } });
  const data = {
    ...(source.upstream.length > 0 && { upstreams: { app: { servers: [...source.upstream] } } }),
    sites: [{ routes }],
  };
  const locate: Locate = ([first, second, third, fourth]) => {
    if (first === 'upstreams' && typeof fourth === 'number') return flagPlace(`--upstream ${source.upstream[fourth]}`);
    const folder = first === 'sites' && typeof fourth === 'number' ? source.static[fourth] : undefined;
    if (folder) return flagPlace(`--static ${folder.prefix}=${folder.folder}`);
    return flagPlace(second === 'app' || third === 'routes' ? '--upstream' : undefined);
  };
  return applyOverrides({ data, findings: [], locate, broken: false }, source, source.baseFolder);
}

/**
 * Lets flags take the place of what the source says.
 *
 * @param workingFolder what a path in a flag is relative to
 */
export function applyOverrides(loaded: LoadedSource, flags: ConfigOverrides, workingFolder: string): LoadedSource {
  const { data } = loaded;
  if (loaded.broken || typeof data !== 'object' || data === null || Array.isArray(data)) return loaded;
  const changed: Record<string, unknown> = { ...data };
  const flagOf = new Map<string, (path: KeyPath) => string>();
  const { listen, workers, admin, accessLog } = flags;
  if (listen && listen.length > 0) {
    changed['listen'] = [...listen];
    flagOf.set('listen', ([, index]) => `--listen ${listen[Number(index ?? 0)]}`);
  }
  if (workers !== undefined) {
    changed['workers'] = /^\d+$/.test(workers) ? Number(workers) : workers;
    flagOf.set('workers', () => `--workers ${workers}`);
  }
  if (admin !== undefined) {
    changed['admin'] = admin === 'off' ? false : { address: admin };
    flagOf.set('admin', () => `--admin ${admin}`);
  }
  if (accessLog !== undefined) {
    changed['accessLog'] = accessLog === 'off' ? false : accessLogTo(accessLog, changed['accessLog'], workingFolder);
    flagOf.set('accessLog', () => `--access-log ${accessLog}`);
  }
  const locate: Locate = (path, at) => {
    const flag = flagOf.get(String(path[0]));
    return flag ? flagPlace(flag(path)) : loaded.locate(path, at);
  };
  // What the file says under an overridden key does not matter any more.
  const findings = loaded.findings.filter(({ path }) => !flagOf.has(String(path[0])));
  return { ...loaded, data: changed, findings, locate };
}

/** The flag gives the path; the format and the rest stay as the file says. */
function accessLogTo(path: string, before: unknown, workingFolder: string): object {
  const kept = typeof before === 'object' && before !== null ? before : {};
  return { ...kept, path: path === 'stdout' || path === 'stderr' ? path : resolve(workingFolder, path) };
}

function flagPlace(flag: string | undefined): ProblemPlace {
  return { file: undefined, line: undefined, column: undefined, sourceLine: undefined, flag };
}
