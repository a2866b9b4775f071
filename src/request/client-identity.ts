/** Who asks, as far as it can be believed: taken from the connection, or from a trusted proxy's fields. */
export interface ClientIdentity {
  /** The client's address; the peer's unless a trusted proxy says otherwise. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** The host the client asked for, with its port when it is not the scheme's default. */
  readonly host: string;
  /** The port the client connected to, as it sees it. */
  readonly port: number;
  /** Whether the peer is a trusted proxy, so that its X-Forwarded-* fields were believed and are continued. */
  readonly trusted: boolean;
}
