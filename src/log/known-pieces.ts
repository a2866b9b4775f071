const slots = 128;
/** Longer values are rare, and remembering them would take memory that clients decide about. */
const maxRemembered = 512;

/**
 * Remembers what values of one field look like in a line: browsers send the same few again and again, and comparing a value
 * with the one before takes a tenth of the time that looking for bytes to escape does. Each value has one place, which the
 * next one takes.
 */
export class KnownPieces {
  readonly #values = Array.from({ length: slots }, () => '');
  readonly #pieces: string[];
  readonly #make: (value: string, maxLength: number) => string;

  /** @param make cuts a value that is longer than `maxLength`, and depends on nothing else */
  constructor(make: (value: string, maxLength: number) => string) {
    this.#make = make;
    const empty = make('', maxRemembered);
    this.#pieces = Array.from({ length: slots }, () => empty);
  }

  of(value: string | undefined = '', maxLength = Number.POSITIVE_INFINITY): string {
    const { length } = value;
    if (length > maxRemembered || length > maxLength) return this.#make(value, maxLength);
    const slot = length < 8 ? length : slotOf(value, length);
    if (this.#values[slot] === value) return this.#pieces[slot] as string;
    const piece = flat(this.#make(value, maxLength));
    this.#values[slot] = value;
    this.#pieces[slot] = piece;
    return piece;
  }
}

const anything = /^/;

/** A text put together from others is a tree of them, which V8 walks each time that it is written; a search in it makes it one piece. */
export function flat(text: string): string {
  anything.test(text);
  return text;
}

/** A few characters tell values apart well enough: paths differ at their ends, names of browsers in their second half. */
function slotOf(value: string, length: number): number {
  const middle = value.charCodeAt(length >> 1) + 7 * value.charCodeAt((length * 3) >> 2);
  return (length + middle + 3 * value.charCodeAt(length - 6) + 5 * value.charCodeAt(length - 1)) & (slots - 1);
}
