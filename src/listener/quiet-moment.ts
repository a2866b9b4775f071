/** A round of the event loop that is shorter than this has accepted what there was and done nothing else; milliseconds. */
const quietMs = 0.015;
/** The bar is raised by as much in each round, so that a busy worker finds its best moment too. */
const patienceMs = 0.0001;
const maxWaitMs = 1000;

/**
 * Calls `close` right behind a round of the event loop in which hardly anything happened. The engine accepts all there is
 * in each round, so the shorter the round, the shorter the time in which a connection can have come into the queue of a
 * listening socket that is closed now. The kernel resets what it finds there although the client was connected, unless
 * `net.ipv4.tcp_migrate_req` is on. Waits a second at most.
 */
export function inQuietMoment(close: () => void): Promise<void> {
  return new Promise((resolve) => {
    const begin = performance.now();
    let bar = quietMs;
    let roundBegan = Number.NEGATIVE_INFINITY;
    const look = (): void => {
      const now = performance.now();
      if (now - roundBegan > bar && now - begin < maxWaitMs) {
        bar += patienceMs;
        roundBegan = now;
        return void setImmediate(look);
      }
      close();
      resolve();
    };
    setImmediate(look);
  });
}
