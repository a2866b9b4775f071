/** `npm run check`: types, lint, import rules, format, unused code, documents in step. Runs everything, fails at the end. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name: string): string => `${root}node_modules/.bin/${name}`;

const steps: readonly (readonly [title: string, command: string, ...args: string[]])[] = [
  ['types', bin('tsc'), '-p', 'tsconfig.json'],
  ['lint', bin('oxlint'), '--type-aware', '--deny-warnings', 'src', 'test', 'bench', 'soak', 'scripts', 'examples'],
  ['import rules', process.execPath, '--import', 'tsx', 'scripts/import-rules.ts'],
  ['format', bin('biome'), 'check', '.'],
  ['unused code', bin('knip')],
  ['documents', process.execPath, '--import', 'tsx', 'scripts/generate-docs.ts', '--check'],
];

const failed: string[] = [];
for (const [title, command, ...args] of steps) {
  process.stdout.write(`\n== ${title}\n`);
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) failed.push(title);
}
process.stdout.write(failed.length === 0 ? '\nall checks passed\n' : `\nfailed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
