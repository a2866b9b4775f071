/** Flags that make no sense; the message is for the user, who gets exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
