import type { LogEntry } from './logger.ts';
import { safeJson } from './safe-text.ts';

/** Bytes of one line that collectors take whole: Docker splits at 16 KB. */
const maxLength = 16_000;

/** One line of JSON: `time` (ISO 8601, UTC), `level`, `message`, then the fields; an `error` has its stack. */
export function formatJsonEntry(entry: LogEntry): string {
  const { level, message, fields } = entry;
  const time = entry.time.toISOString();
  const own = Object.fromEntries(Object.entries(fields).map(([name, value]) => [ownName(name), value]));
  const line = safeJson({ time, level, message, ...own });
  if (line.length <= maxLength) return `${line}\n`;
  const start = message.slice(0, 1000);
  return `${safeJson({ time, level, message: start, truncated: true, start: line.slice(0, maxLength / 4) })}\n`;
}

/** A field named like one of ours must not replace it. */
function ownName(name: string): string {
  return name === 'time' || name === 'level' || name === 'message' ? `${name}_` : name;
}
