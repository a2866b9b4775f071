/** What `proxy.webSocket` is where nobody says otherwise; bytes and milliseconds. */
export const webSocketDefaults = {
  maxMessage: 1024 ** 2,
  maxBuffered: 1024 ** 2,
  idleTimeout: 60_000,
} as const;
