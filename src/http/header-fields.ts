/**
 * The fields of one message: names in lower case, values as Latin-1 strings (one character a byte), in the order of
 * the wire. A flat list, because messages have some twenty fields and a scan over them is cheaper than a map.
 */
export class HeaderFields {
  /** `[name, value, name, value, …]` */
  readonly entries: string[];

  constructor(entries: string[] = []) {
    this.entries = entries;
  }

  /** The value of the first field of that name (lower case), or undefined. */
  get(name: string): string | undefined {
    const { entries } = this;
    for (let index = 0; index < entries.length; index += 2) {
      if (entries[index] === name) return entries[index + 1];
    }
    return undefined;
  }

  /** As `get`, but undefined for an empty value too. */
  peek(name: string): string | undefined {
    const value = this.get(name);
    return value === '' ? undefined : value;
  }

  /** Whether a field of that name (lower case) is there. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Every value of that name (lower case), in order. */
  all(name: string): string[] {
    const { entries } = this;
    const values: string[] = [];
    for (let index = 0; index < entries.length; index += 2) {
      if (entries[index] === name) values.push(entries[index + 1] as string);
    }
    return values;
  }

  /** Every value of a list field joined by `, ` (RFC 9110 section 5.3), or undefined when there is none. */
  list(name: string): string | undefined {
    const { entries } = this;
    let joined: string | undefined;
    for (let index = 0; index < entries.length; index += 2) {
      if (entries[index] !== name) continue;
      const value = entries[index + 1] as string;
      joined = joined === undefined ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  /** Adds a field behind the others; the name must be in lower case. */
  append(name: string, value: string): void {
    this.entries.push(name, value);
  }
}
