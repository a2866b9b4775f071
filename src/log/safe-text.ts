// C0, DEL, C1, and what some terminals and viewers take for a line end or a change of direction.
// oxlint-disable-next-line no-control-regex
const control = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
// oxlint-disable-next-line no-control-regex
const everyControl = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text with control characters as `\u001b`, so that nothing a stranger sent forges a line or drives a terminal. */
export function safeText(text: string): string {
  if (!control.test(text)) return text;
  return text.replace(everyControl, escapeControl);
}

function escapeControl(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Any value as one line of JSON: errors with their stacks, circles cut, never a throw. Control characters are escaped. */
export function safeJson(value: unknown): string {
  try {
    return safeText(JSON.stringify(plain(value, 0, [])) ?? 'null');
  } catch {
    return '"(not serialisable)"';
  }
}

const maxDepth = 6;
const maxEntries = 100;

function plain(value: unknown, depth: number, above: readonly object[]): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '(function)';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value)) return '(circular)';
  if (depth >= maxDepth) return '(deeper)';
  const path = [...above, value];
  if (value instanceof Error) return plainError(value, depth, path);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((entry) => plain(entry, depth + 1, path));
  if (value instanceof Set) return plain([...value], depth, above);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries.slice(0, maxEntries).map(([key, entry]) => [String(key), plain(entry, depth + 1, path)]),
  );
}

function plainError(error: Error, depth: number, path: readonly object[]): Record<string, unknown> {
  return {
    name: error.name,
    message: error.message,
    ...('code' in error ? { code: plain(error.code, depth + 1, path) } : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: plain(error.cause, depth + 1, path) }),
  };
}
