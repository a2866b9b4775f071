import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { Contender } from './contender.ts';

/** One line on the machine: processor, cores, memory, system. */
export function describeHost(): string {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const processors = cpus();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const model = processors[0]?.model.trim() ?? 'unknown processor';
  return `${model}, ${processors.length} cores, ${gigabytes} GB, ${system}, Linux ${release()}`;
}

/** What the server's own command says of its version; undefined when there is no such command. */
export function versionOf(contender: Contender): string | undefined {
  const { command, args, pattern } = contender.version;
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  if (result.error || result.status !== 0) return undefined;
  return pattern
    .exec(`${result.stdout}${result.stderr}`)?.[1]
    ?.trim()
    .replaceAll(/\s*\n\s*/g, ', ');
}

/** The commit that was measured, with `-dirty` behind it when files had been changed; undefined outside a repository. */
export function describeCommit(): string | undefined {
  const result = spawnSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', cwd: import.meta.dirname });
  return result.error || result.status !== 0 ? undefined : result.stdout.trim();
}
