import { HeaderFields } from './header-fields.ts';

/**
 * Reads the fields of a head that was put together: a status line, and `\r\nName: value` for each field, nothing behind
 * the last one.
 */
export function readFieldLines(block: Buffer): HeaderFields {
  // One string to cut from: to search in bytes costs a call into the runtime each time.
  const text = block.toString('latin1');
  const fields = new HeaderFields();
  let start = text.indexOf('\r\n');
  while (start >= 0) {
    const end = lineEnd(text, start);
    const colon = text.indexOf(':', start);
    if (colon > 0 && colon < end) {
      fields.append(text.slice(start + 2, colon).toLowerCase(), text.slice(colon + 1, end).trim());
    }
    start = end === text.length ? -1 : end;
  }
  return fields;
}

/** A head without the fields of these names (lower case); the same bytes when it has none of them. */
export function withoutFieldLines(block: Buffer, names: ReadonlySet<string>): Buffer {
  const text = block.toString('latin1');
  let kept = '';
  let from = 0;
  let start = text.indexOf('\r\n');
  while (start >= 0) {
    const end = lineEnd(text, start);
    const colon = text.indexOf(':', start);
    if (colon > 0 && colon < end && names.has(text.slice(start + 2, colon).toLowerCase())) {
      kept += text.slice(from, start);
      from = end;
    }
    start = end === text.length ? -1 : end;
  }
  return from === 0 ? block : Buffer.from(kept + text.slice(from), 'latin1');
}

/** The lines of a head, each with the `\r\n` before it, without the status line and without the fields of these names. */
export function fieldLinesOf(block: Buffer, without: ReadonlySet<string>): Buffer {
  const rest = without.size === 0 ? block : withoutFieldLines(block, without);
  const first = rest.indexOf('\r\n');
  return first < 0 ? Buffer.alloc(0) : rest.subarray(first);
}

/** Where the line ends whose `\r\n` stands at `start`. */
function lineEnd(text: string, start: number): number {
  const next = text.indexOf('\r\n', start + 2);
  return next < 0 ? text.length : next;
}
