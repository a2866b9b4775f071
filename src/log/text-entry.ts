import type { LogEntry, LogLevel } from './logger.ts';
import { safeJson, safeText } from './safe-text.ts';

const dim = '\u001b[2m';
const reset = '\u001b[0m';
const colours: Readonly<Record<LogLevel, string>> = {
  debug: '\u001b[90m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};

const maxLength = 16_000;
const maxStackLines = 30;

/** A line for people: time, level, message, `name=value` fields; below it, indented, the stacks of errors. */
export function formatTextEntry(entry: LogEntry, colour: boolean): string {
  const paint = (code: string, text: string) => (colour ? `${code}${text}${reset}` : text);
  const level = entry.level.toUpperCase().padEnd(5);
  let line = `${paint(dim, entry.time.toISOString())} ${paint(colours[entry.level], level)} ${clip(safeText(entry.message))}`;
  let stacks = '';
  for (const [name, value] of Object.entries(entry.fields)) {
    if (value === undefined) continue;
    const shown = value instanceof Error ? value.message : value;
    line += ` ${paint(dim, `${safeText(name)}=`)}${clip(textValue(shown))}`;
    if (value instanceof Error) stacks += stackText(value);
  }
  return `${line}\n${stacks}`;
}

function textValue(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=\\]+$/.test(value)) return safeText(value);
  return safeJson(value);
}

/** Indented, so that no line of a message or a stack can be taken for a line of the log. */
function stackText(error: Error): string {
  const lines = (error.stack ?? String(error)).split('\n', maxStackLines);
  const text = lines.map((line) => `    ${clip(safeText(line))}\n`).join('');
  return error.cause instanceof Error && error.cause !== error ? text + causeText(error.cause) : text;
}

function causeText(cause: Error): string {
  const lines = (cause.stack ?? String(cause)).split('\n', maxStackLines);
  return lines.map((line, index) => `    ${index === 0 ? 'caused by ' : ''}${clip(safeText(line))}\n`).join('');
}

function clip(text: string): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}...`;
}
