import type { RequestFieldRules } from './request-field-rules.ts';

/** Places remembered; what comes behind them is looked up. */
const maxPlaces = 128;
const longestRemembered = 64;

/**
 * Gives what stands before the value of each field of a request, by its place: requests that follow one another mostly have the
 * same fields in the same order, and to see that a name is the same costs a third of looking it up.
 */
export class LinePrefixes {
  private readonly rules: RequestFieldRules;
  private readonly trusted: boolean;
  private readonly names: string[] = [];
  private readonly prefixes: string[] = [];

  constructor(rules: RequestFieldRules, trusted: boolean) {
    this.rules = rules;
    this.trusted = trusted;
    for (let place = 0; place < maxPlaces; place++) {
      this.names.push('');
      this.prefixes.push('');
    }
  }

  /**
   * @param index where the name stands in `HeaderFields.entries`
   * @param name  in lower case
   * @returns as `RequestFieldRules.linePrefix`
   */
  prefix(index: number, name: string): string {
    const place = index >> 1;
    if (place < maxPlaces && this.names[place] === name) return this.prefixes[place] as string;
    const prefix = this.rules.linePrefix(name, this.trusted);
    if (place < maxPlaces && name.length <= longestRemembered && name !== '') {
      this.names[place] = name;
      this.prefixes[place] = prefix;
    }
    return prefix;
  }
}
