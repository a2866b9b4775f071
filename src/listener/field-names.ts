/** Names remembered: those of browsers, with room for a few of everybody's own. */
const maxKnown = 512;

/** Field names in lower case, each made once. One for an engine. */
export class FieldNames {
  readonly #known = new Map<string, string>();

  lowerCase(name: string): string {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#known.size >= maxKnown) this.#known.clear();
    // Flat strings of their own: a slice would keep the whole head that it was cut from alive.
    const own = Buffer.from(name, 'latin1').toString('latin1');
    const lower = own.toLowerCase();
    this.#known.set(own, lower);
    return lower;
  }
}
