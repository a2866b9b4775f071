/** One normative statement that binds a shared cache. */
export interface Statement {
  /** `3.5`, or `RFC 5861 3` for another document. */
  readonly section: string;
  readonly level: 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'ought' | 'MAY';
  /** In our words. */
  readonly says: string;
  /** Name of what is tried, and the trial, which throws when the statement does not hold. */
  readonly cases?: Readonly<Record<string, () => void>>;
  /**
   * Names of tests elsewhere under `test/` that show it, where it binds what sends and receives rather than what decides.
   */
  readonly shownBy?: readonly string[];
}
