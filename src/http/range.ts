/** A part of a representation; both positions belong to it. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Two ranges with a gap below this are cheaper as one than as two parts with their heads. */
const smallestGap = 80;
/** More ranges than any honest client asks for. Beyond it the field is ignored (RFC 9110 section 14.2 allows it). */
const maxSpecs = 64;

const unit = /^\s*bytes\s*=/i;
const spec = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * Reads a Range field for a representation of that many bytes.
 *
 * @returns the ranges clipped to the representation, in the order asked for, overlapping and near ones joined;
 *   `unsatisfiable` when none overlaps it (416); undefined when the field is to be ignored: another unit, bad grammar,
 *   too many ranges.
 */
export function parseByteRanges(value: string, size: number): ByteRange[] | 'unsatisfiable' | undefined {
  const prefix = unit.exec(value);
  if (prefix === null) return undefined;
  const specs = value.slice(prefix[0].length).split(',', 4 * maxSpecs);
  const ranges: ByteRange[] = [];
  let count = 0;
  for (const text of specs) {
    const trimmed = text.trim();
    // Lists may have empty members (RFC 9110 section 5.6.1.2).
    if (trimmed === '') continue;
    if (++count > maxSpecs) return undefined;
    const match = spec.exec(trimmed);
    if (match === null) return undefined;
    const range = match[3] === undefined ? interval(match[1], match[2], size) : suffix(Number(match[3]), size);
    if (range === undefined) return undefined;
    if (range !== 'unsatisfiable') ranges.push(range);
  }
  if (count === 0) return undefined;
  return ranges.length === 0 ? 'unsatisfiable' : joinRanges(ranges);
}

/** Bytes that the ranges cover. */
export function rangesLength(ranges: readonly ByteRange[]): number {
  let length = 0;
  for (const range of ranges) length += range.last - range.first + 1;
  return length;
}

function interval(
  firstText: string | undefined,
  lastText: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const first = Number(firstText);
  const last = lastText === '' || lastText === undefined ? Number.POSITIVE_INFINITY : Number(lastText);
  if (last < first) return undefined;
  return first >= size ? 'unsatisfiable' : { first, last: Math.min(last, size - 1) };
}

function suffix(length: number, size: number): ByteRange | 'unsatisfiable' | undefined {
  if (length === 0) return 'unsatisfiable';
  // Satisfiable, but no Content-Range can say it of nothing: the whole (empty) representation is the answer.
  if (size === 0) return undefined;
  return { first: Math.max(0, size - length), last: size - 1 };
}

function joinRanges(ranges: ByteRange[]): ByteRange[] {
  if (ranges.length === 1) return ranges;
  const sorted = ranges.map((range, order) => ({ ...range, order })).toSorted((a, b) => a.first - b.first);
  const joined: typeof sorted = [];
  for (const range of sorted) {
    const former = joined.at(-1);
    if (former === undefined || range.first > former.last + smallestGap) {
      joined.push(range);
    } else {
      former.last = Math.max(former.last, range.last);
      former.order = Math.min(former.order, range.order);
    }
  }
  return joined.toSorted((a, b) => a.order - b.order).map(({ first, last }) => ({ first, last }));
}
