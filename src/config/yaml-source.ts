import { type Document, type ErrorCode, LineCounter, parseDocument, type YAMLError } from 'yaml';
import type { Finding, Locate } from './finding.ts';
import type { LoadedSource } from './loaded-source.ts';
import { YamlReader } from './yaml-reader.ts';

/** Our words for what the parser finds most often; its own words otherwise. */
const syntaxMistakes: Partial<Record<ErrorCode, { message: string; allowed: string }>> = {
  TAB_AS_INDENT: { message: 'a tab is used for indentation', allowed: 'spaces' },
  DUPLICATE_KEY: { message: 'the key stands here twice', allowed: 'each key once' },
  MULTIPLE_DOCS: { message: 'a second document begins', allowed: 'one document a file' },
};

/**
 * Reads a configuration in YAML 1.2 or JSON, keeping the position of every key and value.
 *
 * @param file as the user named it, for messages
 */
export function readYamlSource(file: string, text: string, environment: NodeJS.ProcessEnv): LoadedSource {
  const lines = new LineCounter();
  const json = file.endsWith('.json');
  const placeAt = placeIn(file, text, lines);
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      merge: true,
      schema: json ? 'json' : 'core',
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const finding = syntaxFinding('nested too deeply', 'deep nesting', 'a configuration as documented');
    return { data: undefined, findings: [finding], locate: () => placeAt(0), broken: true };
  }
  const mistakes = firstOfEachLine([...document.errors, ...document.warnings], lines);
  if (mistakes.length > 0) return brokenSyntax(mistakes, json, text, placeAt);
  const reader = new YamlReader(document, environment);
  const data = reader.read();
  return { data, findings: reader.findings, locate: (path, at) => placeAt(reader.offsetOf(path, at)), broken: false };
}

/** One mistake often makes the parser stumble several times in the same line. */
function firstOfEachLine(errors: readonly YAMLError[], lines: LineCounter): YAMLError[] {
  const seen = new Set<number>();
  return errors
    .toSorted((a, b) => a.pos[0] - b.pos[0])
    .filter((error) => {
      const { line } = lines.linePos(error.pos[0]);
      return !seen.has(line) && seen.add(line);
    });
}

function brokenSyntax(
  errors: readonly YAMLError[],
  json: boolean,
  text: string,
  placeAt: (offset: number) => ReturnType<Locate>,
): LoadedSource {
  const findings = errors.map((error, index) => {
    const own = syntaxMistakes[error.code];
    const found = JSON.stringify(text.slice(error.pos[0], error.pos[0] + 20).split('\n')[0]);
    const message = own?.message ?? `not valid ${json ? 'JSON' : 'YAML'}: ${lowerFirst(error.message)}`;
    return { ...syntaxFinding(message, found, own?.allowed ?? `valid ${json ? 'JSON' : 'YAML'}`), path: [index] };
  });
  // Syntax has no key path: the index in the path only leads `locate` to the error.
  const locate: Locate = (path) => placeAt(errors[Number(path[0] ?? 0)]?.pos[0] ?? 0);
  return { data: undefined, findings, locate, broken: true };
}

function syntaxFinding(message: string, found: string, allowed: string): Finding {
  return { path: [], at: 'value', message, found, allowed };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function placeIn(file: string, text: string, lines: LineCounter): (offset: number) => ReturnType<Locate> {
  return (offset) => {
    const { line, col } = lines.linePos(offset);
    const start = lines.lineStarts[line - 1] ?? 0;
    const sourceLine = text.slice(start).split(/\r?\n/, 1)[0] ?? '';
    return { file, line: Math.max(1, line), column: Math.max(1, col), sourceLine, flag: undefined };
  };
}
