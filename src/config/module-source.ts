import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { substituteInData } from './environment-reference.ts';
import { describeFound, type Finding } from './finding.ts';
import { brokenSource, type LoadedSource, locateInFile } from './loaded-source.ts';

const allowed = 'export default defineConfig({ … })';

/**
 * Runs `portico.config.ts` or `.js` and takes its default export. The module is run anew each time, so that a reload
 * sees its changes; `import … from 'portico'` works wherever Portico is installed.
 */
export async function readModuleSource(file: string, environment: NodeJS.ProcessEnv): Promise<LoadedSource> {
  if (!existsSync(file)) {
    const found = 'there is no such file or folder';
    return brokenSource(file, {
      message: `cannot read the file: ${found}`,
      found,
      allowed: 'a readable configuration file',
    });
  }
  let exported: unknown;
  try {
    // Loaded here only: it is slow to load, and a start from YAML can do without.
    const { createJiti } = await import('jiti');
    const ownFile = fileURLToPath(import.meta.url);
    // From `src/config` and from `dist/chunks` alike.
    const ownPackage = resolve(ownFile, '../../config', `define-config${extname(ownFile)}`);
    const jiti = createJiti(ownFile, {
      fsCache: false,
      moduleCache: false,
      interopDefault: false,
      alias: { portico: ownPackage },
    });
    const namespace = await jiti.import<{ default?: unknown }>(resolve(file));
    exported = await namespace.default;
  } catch (error) {
    const reason = firstLine(error);
    return brokenSource(file, { message: `the module failed: ${reason}`, found: reason, allowed });
  }
  if (typeof exported !== 'object' || exported === null) {
    const found = describeFound(exported);
    return brokenSource(file, { message: `the module's default export is ${found}`, found, allowed });
  }
  const findings: Finding[] = [];
  const data = substituteInData(exported, environment, (path, mistake) => {
    findings.push({ path, at: 'value', ...mistake });
  });
  return { data, findings, locate: locateInFile(file), broken: false };
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (text.split('\n')[0] ?? '').trim();
}
