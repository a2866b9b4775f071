import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('rivals/node', import.meta.url));
const installTimeoutMs = 120_000;

/** Everything that the benchmark keeps between runs; git and linters pass over it. */
export const cacheFolder = fileURLToPath(new URL('../node_modules/.cache/portico-bench', import.meta.url));

/** Where the proxies from npm are installed. */
export const nodeRivalFolder = `${cacheFolder}/node-rivals`;

/**
 * Installs the proxies from npm that `rivals/node/package.json` names with their exact versions, unless they are there. They are
 * no development dependencies of Portico: nobody who works on it needs the seventy packages that come with them.
 * @returns why it cannot be done, or undefined
 */
export function installNodeRivals(): string | undefined {
  mkdirSync(nodeRivalFolder, { recursive: true });
  const wanted = readFileSync(`${source}/package.json`, 'utf8');
  const installed = `${nodeRivalFolder}/node_modules/.installed.json`;
  const isThere = existsSync(installed) && readFileSync(installed, 'utf8') === wanted;
  for (const file of readdirSync(source)) copyFileSync(`${source}/${file}`, `${nodeRivalFolder}/${file}`);
  if (isThere) return undefined;
  const result = spawnSync(
    'npm',
    ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'],
    {
      cwd: nodeRivalFolder,
      encoding: 'utf8',
      timeout: installTimeoutMs,
    },
  );
  if (result.error || result.status !== 0)
    return `npm install failed: ${result.error?.message ?? result.stderr.trim()}`;
  copyFileSync(`${source}/package.json`, installed);
  return undefined;
}
