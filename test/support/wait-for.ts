/**
 * Waits until a condition holds, looking every few milliseconds.
 * @param what completes the sentence "waited in vain for …"
 * @throws Error when it does not hold in time, or what the condition throws
 */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * The same, looking in every turn of the event loop: for what passes quickly, or comes a thousand times.
 * @throws Error when it does not hold in time
 */
export async function waitForTurn(condition: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
