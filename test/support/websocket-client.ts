import { type ClientOptions, WebSocket } from 'ws';
import { waitFor } from './wait-for.ts';

/** A message as it came. */
export interface ReceivedMessage {
  readonly data: Buffer;
  readonly binary: boolean;
}

/** A WebSocket client that remembers everything. */
export class WebSocketClient {
  readonly socket: WebSocket;
  readonly messages: ReceivedMessage[] = [];
  pings = 0;
  pongs: string[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** Fields of the 101, names in lower case. */
  fields: NodeJS.Dict<string | string[]> = {};

  private constructor(url: string, protocols: readonly string[], options: ClientOptions) {
    this.socket = new WebSocket(url, [...protocols], { perMessageDeflate: true, ...options });
    this.socket.on('upgrade', (response) => {
      this.fields = response.headers;
    });
    this.socket.on('message', (data, binary) => void this.messages.push({ data: data as Buffer, binary }));
    this.socket.on('ping', () => {
      this.pings++;
    });
    this.socket.on('pong', (data) => void this.pongs.push(data.toString()));
    this.socket.on('error', () => {});
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  /** @throws when the handshake fails */
  static async open(
    port: number,
    path = '/',
    protocols: readonly string[] = [],
    options: ClientOptions = {},
  ): Promise<WebSocketClient> {
    const client = new WebSocketClient(`ws://127.0.0.1:${port}${path}`, protocols, options);
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  /** The next message that was not taken yet. */
  async next(): Promise<ReceivedMessage> {
    await waitFor(() => this.messages.length > 0 || this.closed !== undefined, 'a message');
    const message = this.messages.shift();
    if (message === undefined) throw new Error(`closed with ${JSON.stringify(this.closed)} instead of a message`);
    return message;
  }

  /** Sends text and waits for the next message, as text. */
  async ask(text: string): Promise<string> {
    this.socket.send(text);
    return (await this.next()).data.toString();
  }

  async whenClosed(): Promise<{ readonly code: number; readonly reason: string }> {
    await waitFor(() => this.closed !== undefined, 'the end of the WebSocket');
    return this.closed as { code: number; reason: string };
  }

  terminate(): void {
    this.socket.terminate();
  }
}
