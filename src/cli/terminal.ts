/** Where commands write; tests give their own. */
export interface Terminal {
  /** Standard output. */
  print(text: string): void;
  /** Standard error. */
  error(text: string): void;
  /** Whether standard error shows colours. */
  readonly errorColour: boolean;
}

/** The standard streams of the process. */
export function processTerminal(): Terminal {
  // A reader that went away, such as `portico schema | head`, is no failure of ours.
  process.stdout.on('error', ignoreClosedPipe);
  const { env, stderr } = process;
  return {
    print: (text) => void process.stdout.write(text),
    error: (text) => void stderr.write(text),
    // https://no-color.org: any value but the empty one.
    errorColour: stderr.isTTY && !env['NO_COLOR'],
  };
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
