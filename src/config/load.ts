import { dirname, resolve } from 'node:path';
import { compileConfig } from './compile.ts';
import type { Config } from './config.ts';
import { configHash } from './config-hash.ts';
import type { ConfigSource } from './config-source.ts';
import { readFileSource } from './file-source.ts';
import { type Finding, toProblem } from './finding.ts';
import { applyOverrides, readFlagsSource } from './flags-source.ts';
import type { LoadedSource } from './loaded-source.ts';
import type { ConfigProblem } from './problem.ts';
import { configSchema } from './schema.ts';
import { schemaFindings } from './schema-problems.ts';
import type { KeyPath } from './schema-walk.ts';

/** A configuration that may serve, or everything that is wrong with it. */
export type LoadResult =
  | {
      readonly ok: true;
      readonly config: Config;
      /** SHA-256 of the compiled configuration, 64 hexadecimal digits. */
      readonly hash: string;
      /** What is allowed but probably not meant, one sentence each. */
      readonly warnings: readonly string[];
      /** The file as named, or `command line`. */
      readonly source: string;
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/**
 * Reads, checks and compiles a configuration. Never throws for a mistake in it: all that can be found at once comes back
 * as problems. Used at start, at reload and by `portico check`, so that they always agree.
 */
export async function loadConfig(source: ConfigSource, environment: NodeJS.ProcessEnv): Promise<LoadResult> {
  const loaded = await readSource(source, environment);
  if (loaded.broken) return refuse(loaded, loaded.findings);
  const parsed = configSchema.safeParse(loaded.data);
  if (!parsed.success) {
    const findings = schemaFindings(configSchema, loaded.data, parsed.error.issues);
    return refuse(loaded, [...loaded.findings, ...findings.filter((finding) => !isBelowAny(finding, loaded.findings))]);
  }
  const baseFolder = source.kind === 'flags' ? source.baseFolder : dirname(resolve(source.path));
  const compiled = compileConfig(parsed.data, baseFolder, new Set(Object.keys(loaded.data ?? {})));
  const findings = [
    ...loaded.findings,
    ...compiled.findings.filter((finding) => !isBelowAny(finding, loaded.findings)),
  ];
  if (findings.length > 0) return refuse(loaded, findings);
  return {
    ok: true,
    config: compiled.config,
    hash: configHash(compiled.config),
    warnings: compiled.warnings,
    source: source.kind === 'file' ? source.path : 'command line',
  };
}

async function readSource(source: ConfigSource, environment: NodeJS.ProcessEnv): Promise<LoadedSource> {
  if (source.kind === 'flags') return readFlagsSource(source);
  const loaded = await readFileSource(source.path, environment);
  return applyOverrides(loaded, source.overrides ?? {}, process.cwd());
}

/** In the order in which they stand in the file. */
function refuse(loaded: LoadedSource, findings: readonly Finding[]): LoadResult {
  const problems = findings.map((finding) => toProblem(finding, loaded.locate));
  return { ok: false, problems: problems.toSorted(byPosition) };
}

function byPosition(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** Whether a mistake only follows from an earlier one at the same place, such as a variable that is not set. */
function isBelowAny(finding: Finding, earlier: readonly Finding[]): boolean {
  return earlier.some(({ path }: { path: KeyPath }) => path.every((step, index) => step === finding.path[index]));
}
