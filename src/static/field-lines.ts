/** The fields that a route adds to its responses, and how they go together with those of a file. */
export class FieldLines {
  /** Names in lower case that the route sets itself or removes: the file's own value for them is left out. */
  private readonly names: ReadonlySet<string>;
  private readonly lines: string;

  /**
   * @param block `\r\nname: value` lines
   * @param removed names in lower case
   */
  constructor(block: Buffer, removed: ReadonlySet<string> = new Set()) {
    this.lines = block.toString('latin1');
    const names = this.lines.split('\r\n').map((line) => line.slice(0, Math.max(0, line.indexOf(':'))).toLowerCase());
    this.names = new Set([...names, ...removed]);
  }

  /** Serialises the fields whose value is defined, and the route's behind them. Values are safe: they are made here. */
  serialize(fields: readonly (readonly [name: string, value: string | undefined])[]): string {
    let text = '';
    for (const [name, value] of fields) {
      if (value !== undefined && !this.names.has(name.toLowerCase())) text += `\r\n${name}: ${value}`;
    }
    return text + this.lines;
  }
}
