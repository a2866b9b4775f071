import { HeaderFields } from './header-fields.ts';

const colon = 0x3a;

/**
 * Reads the fields of a head that was put together: a status line, and `\r\nName: value` for each field, nothing behind
 * the last one.
 */
export function readFieldLines(block: Buffer): HeaderFields {
  const fields = new HeaderFields();
  for (const { name, start, end } of fieldLines(block)) fields.append(name, valueOf(block, start, end));
  return fields;
}

/** A head without the fields of these names (lower case); the same bytes when it has none of them. */
export function withoutFieldLines(block: Buffer, names: ReadonlySet<string>): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  for (const { name, start, end } of fieldLines(block)) {
    if (!names.has(name)) continue;
    kept.push(block.subarray(from, start));
    from = end;
  }
  if (from === 0) return block;
  kept.push(block.subarray(from));
  return Buffer.concat(kept);
}

/** The lines of a head, each with the `\r\n` before it, without the status line and without the fields of these names. */
export function fieldLinesOf(block: Buffer, without: ReadonlySet<string>): Buffer {
  const rest = withoutFieldLines(block, without);
  const first = rest.indexOf('\r\n');
  return first < 0 ? Buffer.alloc(0) : rest.subarray(first);
}

interface FieldLine {
  /** In lower case. */
  readonly name: string;
  /** Where the `\r\n` before the line stands. */
  readonly start: number;
  readonly end: number;
}

function* fieldLines(block: Buffer): Generator<FieldLine> {
  let start = block.indexOf('\r\n');
  while (start >= 0) {
    const next = block.indexOf('\r\n', start + 2);
    const end = next < 0 ? block.length : next;
    const nameEnd = block.indexOf(colon, start + 2);
    if (nameEnd > 0 && nameEnd < end) {
      yield { name: block.toString('latin1', start + 2, nameEnd).toLowerCase(), start, end };
    }
    start = next;
  }
}

function valueOf(block: Buffer, start: number, end: number): string {
  return block.toString('latin1', block.indexOf(colon, start) + 1, end).trim();
}
