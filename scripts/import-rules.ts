/** The import rules of ARCHITECTURE.md, checked over src/. Prints each breach as `file:line: sentence`. */
import { readFileSync } from 'node:fs';
import { globSync } from './glob.ts';

/** Values flow forward along these stages only; types may be imported from anywhere. */
const stages = [
  'listener',
  'request',
  'route',
  'limits',
  'access',
  'websocket',
  'cache',
  'action',
  'tunnel',
  'balancer',
  'upstream',
  'compression',
  'response',
];
/** The ways a request may take at one step: none imports another. */
const actions = new Set(['redirect', 'respond', 'static', 'proxy']);
/** May be used along the way by every stage. */
const shared = new Set(['http', 'http2', 'log', 'metrics', 'spool']);

interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const breaches: string[] = [];
for (const file of globSync('src', '.ts')) {
  const text = readFileSync(file, 'utf8');
  for (const found of importsOf(file, text)) checkImport(found);
  checkGlobals(file, text);
}
for (const breach of breaches) process.stdout.write(`${breach}\n`);
if (breaches.length > 0) process.exitCode = 1;

function* importsOf(file: string, text: string): Generator<Import> {
  const statement = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  for (const match of text.matchAll(statement)) {
    const line = text.slice(0, match.index).split('\n').length;
    yield { file, line, specifier: (match[2] ?? match[3]) as string, typeOnly: match[1] !== undefined };
  }
}

function checkImport(found: Import): void {
  const from = folderOf(found.file);
  const { specifier } = found;
  if (!specifier.startsWith('.')) return checkPackage(found, from);
  const to = folderOf(new URL(specifier, `file:///${found.file}`).pathname.slice(1));
  if (from === to || found.typeOnly) return;
  if (from === 'http') return report(found, 'http/ is pure grammar and imports nothing of ours');
  if (to === 'primary' && from !== 'cli') return report(found, 'only cli/ starts the primary');
  if (to === 'worker') return report(found, 'nothing imports worker/: it is a composition root');
  if (to === 'cli' && from !== '') return report(found, 'nothing imports cli/');
  const fromStage = stageOf(from);
  const toStage = stageOf(to);
  if (fromStage === -1) return;
  if (toStage !== -1) {
    if (actions.has(from) && actions.has(to))
      return report(found, `${from}/ and ${to}/ are different ways of a request`);
    if (toStage < fromStage) return report(found, `${from}/ comes behind ${to}/ on the way of a request`);
    return;
  }
  const isUnits = specifier.endsWith('/config/units.ts');
  if (!shared.has(to) && !isUnits) report(found, `${from}/ is on the way of a request and may not use ${to}/`);
}

function checkPackage(found: Import, from: string): void {
  const { specifier } = found;
  if (specifier === 'prom-client' && from !== 'metrics') report(found, 'only metrics/ imports the Prometheus client');
  if (specifier.startsWith('uws-') && from !== 'listener') report(found, 'only listener/ imports uWebSockets.js');
  if (/^node:(cluster|child_process)$/.test(specifier) && from !== 'primary' && !found.typeOnly) {
    report(found, 'only primary/ starts processes');
  }
}

function checkGlobals(file: string, text: string): void {
  const from = folderOf(file);
  text.split('\n').forEach((line, index) => {
    const at = { file, line: index + 1 };
    if (/\bprocess\.(argv|exit\()/.test(line) && from !== 'cli' && from !== '' && file !== 'src/worker/entry.ts') {
      report(at, 'only cli/ reads arguments and exits');
    }
  });
}

function folderOf(file: string): string {
  const [, folder, rest] = file.split('/');
  return rest === undefined ? '' : (folder as string);
}

function stageOf(folder: string): number {
  return stages.indexOf(actions.has(folder) ? 'action' : folder);
}

function report(at: { file: string; line: number }, sentence: string): void {
  breaches.push(`${at.file}:${at.line}: ${sentence}`);
}
