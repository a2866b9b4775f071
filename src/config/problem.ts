import { styleText } from 'node:util';

/** One mistake in the configuration, for a person to read and mend. */
export interface ConfigProblem {
  /** As the user named it; undefined when the value stands on the command line. */
  readonly file: string | undefined;
  /** From 1. Undefined for modules and flags. */
  readonly line: number | undefined;
  /** From 1, in characters. */
  readonly column: number | undefined;
  /** The line itself, to show with a caret. */
  readonly sourceLine: string | undefined;
  /** The flag with its value, such as `--upstream ftp://x`, when that is where the value stands. */
  readonly flag: string | undefined;
  /** `sites[0].routes[2].proxy.upstream`; empty for the configuration as a whole. */
  readonly keyPath: string;
  /** What is wrong, in words, with what was found. */
  readonly message: string;
  /** The value found: `"ap"`, `30`, `a list`, `nothing`. */
  readonly found: string;
  /** What may stand there. */
  readonly allowed: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** Where something stands: a position in a file, a file, or a flag. */
export type ProblemPlace = Pick<ConfigProblem, 'file' | 'line' | 'column' | 'sourceLine' | 'flag'>;

type Paint = (style: 'bold' | 'red' | 'yellow' | 'dim', text: string) => string;

const widestExcerpt = 120;

/**
 * The problems as text, one after the other, each with the line it stands on.
 *
 * @param colour true on a terminal
 */
export function formatProblems(problems: readonly ConfigProblem[], options: { readonly colour: boolean }): string {
  const paint: Paint = options.colour
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text;
  return problems.map((problem) => `${formatProblem(problem, paint)}\n`).join('');
}

function formatProblem(problem: ConfigProblem, paint: Paint): string {
  const heads = [formatPlace(problem), problem.keyPath].filter((part) => part !== '').map((part) => `${part}: `);
  const suggestion = problem.suggestion === undefined ? '' : ` — did you mean "${problem.suggestion}"?`;
  const allowed = problem.allowed === '' ? '' : paint('dim', ` (allowed: ${problem.allowed})`);
  const line = `${paint('bold', heads.join(''))}${paint('red', problem.message)}${paint('yellow', suggestion)}${allowed}`;
  return [line, ...excerpt(problem, paint)].join('\n');
}

function formatPlace({ file, line, column, flag }: ConfigProblem): string {
  if (flag !== undefined) return flag;
  if (file === undefined) return '';
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}

/** Hashes of passwords, and passwords in URLs, are not for the log that a failed reload writes to. The length stays, for the caret. */
function withoutSecrets(line: string): string {
  const secret = /\$(?:2[abxy]|argon2\w*|apr1)\$[^\s"',}]+|(?<=:\/\/)[^\s"'/@]+(?=@)/g;
  return line.replace(secret, (found) => '*'.repeat(found.length));
}

/** The source line with a caret under the column; a window of it when the line is long. */
function excerpt({ line, column, sourceLine }: ConfigProblem, paint: Paint): string[] {
  if (line === undefined || column === undefined || sourceLine === undefined || sourceLine.trim() === '') return [];
  const from = column <= widestExcerpt ? 0 : column - 1 - widestExcerpt / 2;
  const shown = withoutSecrets(sourceLine).slice(from, from + widestExcerpt);
  // Tabs are kept before the caret so that it stands under its column on any terminal.
  const before = shown.slice(0, column - 1 - from).replace(/[^\t]/g, ' ');
  const gutter = `  ${line} | `;
  return [
    paint('dim', gutter) + shown,
    paint('dim', `${' '.repeat(gutter.length - 2)}| `) + before + paint('red', '^'),
  ];
}
