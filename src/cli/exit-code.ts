/** What the process ends with. */
export const exitCodes = {
  /** Stopped as asked, or the command did what it says. */
  ok: 0,
  /** Failed while running: a crash loop, a lost primary. */
  failed: 1,
  /** Bad usage, a bad configuration, an address that cannot be opened: nothing was served. */
  usage: 2,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
