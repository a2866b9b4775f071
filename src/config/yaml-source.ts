import { type Document, type ErrorCode, LineCounter, parseDocument, Scalar, visit, type YAMLError } from 'yaml';
import type { Finding, Locate } from './finding.ts';
import { brokenSource, type LoadedSource } from './loaded-source.ts';
import { YamlReader } from './yaml-reader.ts';

/** Our words for what the parser finds most often; its own words otherwise. */
const syntaxMistakes: Partial<Record<ErrorCode, { message: string; allowed: string }>> = {
  TAB_AS_INDENT: { message: 'a tab is used for indentation', allowed: 'spaces' },
  DUPLICATE_KEY: { message: 'the key stands here twice', allowed: 'each key once' },
  RESOURCE_EXHAUSTION: { message: 'nested too deeply', allowed: 'at most 100 levels' },
  MULTIPLE_DOCS: { message: 'a second document begins', allowed: 'one document a file' },
  TAG_RESOLVE_FAILED: { message: 'unknown tag', allowed: 'no tag, or one of YAML itself' },
};
const unquotedText = { message: 'text without double quotes', allowed: 'valid JSON' };

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
    return brokenSource(file, { message: 'nested too deeply', found: 'deep nesting', allowed: 'a few levels' });
  }
  const mistakes = firstOfEachLine([...document.errors, ...document.warnings], lines);
  if (mistakes.length > 0) {
    const located = mistakes.map((error) => syntaxFinding(error, document, json, text));
    const findings = located.map(({ offset, finding }) => ({ ...finding, place: placeAt(offset) }));
    return { data: undefined, findings, locate: () => placeAt(0), broken: true };
  }
  const reader = new YamlReader(document, environment);
  const data = reader.read();
  const locate: Locate = (path, at) => placeAt(reader.offsetOf(path, at));
  return { data, findings: reader.findings, locate, broken: reader.tooLarge };
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

function syntaxFinding(error: YAMLError, document: Document.Parsed, json: boolean, text: string): SyntaxFinding {
  const offset = openingQuote(error, document) ?? error.pos[0];
  const found = JSON.stringify(text.slice(offset, offset + 20).split('\n')[0]);
  const language = json ? 'JSON' : 'YAML';
  const own = json && error.code === 'TAG_RESOLVE_FAILED' ? unquotedText : syntaxMistakes[error.code];
  const message = own?.message ?? `not valid ${language}: ${lowerFirst(error.message)}`;
  return { offset, finding: { path: [], at: 'value', message, found, allowed: own?.allowed ?? `valid ${language}` } };
}

interface SyntaxFinding {
  readonly offset: number;
  readonly finding: Finding;
}

/** A quote that is never closed is missed at the end of the file only; the mistake stands where it opens. */
function openingQuote(error: YAMLError, document: Document.Parsed): number | undefined {
  if (error.code !== 'MISSING_CHAR') return undefined;
  let offset: number | undefined;
  visit(document, {
    Scalar: (_key, { type, range }) => {
      const isQuoted = type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE;
      if (isQuoted && range && range[0] < error.pos[0] && range[1] >= error.pos[0]) offset = range[0];
    },
  });
  return offset;
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
