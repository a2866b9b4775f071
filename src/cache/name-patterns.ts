/** Names as a configuration lists them: whole, or the beginning and a `*`. */
export class NamePatterns {
  private readonly names: ReadonlySet<string>;
  private readonly prefixes: readonly string[];

  constructor(patterns: readonly string[]) {
    this.names = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
    this.prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  }

  get isEmpty(): boolean {
    return this.names.size === 0 && this.prefixes.length === 0;
  }

  matches(name: string): boolean {
    if (this.names.has(name)) return true;
    for (const prefix of this.prefixes) {
      if (name.startsWith(prefix)) return true;
    }
    return false;
  }
}
