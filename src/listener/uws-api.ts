/*
 * The part of uWebSockets.js that Portico uses, typed by what the builds do rather than by their own declarations, which
 * differ from build to build and leave properties open. Strings are sent as UTF-8, byte arrays as they are.
 */

export type UwsBytes = string | Uint8Array;

/** Valid until the response is complete or `onAborted` was called; every use after that throws. */
export interface UwsResponse {
  /** First; gives the status line behind `HTTP/1.1 `. Lines behind a CRLF in it become fields. Checks nothing. */
  writeStatus(status: UwsBytes): UwsResponse;
  writeHeader(name: UwsBytes, value: UwsBytes): UwsResponse;
  /** A chunk of a chunked response. False when earlier chunks wait in memory; the chunk is taken over all the same. */
  write(chunk: Uint8Array): boolean;
  /** Ends the response; adds Content-Length when it is the first body call. */
  end(body?: UwsBytes, closeConnection?: boolean): UwsResponse;
  /** Takes no argument here: with one, the builds differ and break the framing. */
  endWithoutBody(): UwsResponse;
  /** Never with an empty chunk. Takes what the socket takes: `[the whole chunk was taken, the response is complete]`. */
  tryEnd(chunk: Uint8Array, totalLength: number): [boolean, boolean];
  close(): UwsResponse;
  /** Bytes of body taken by `tryEnd`. */
  getWriteOffset(): number;
  /** One slot, to be set once a response. */
  onWritable(callback: (offset: number) => boolean): UwsResponse;
  onAborted(callback: () => void): UwsResponse;
  /** The chunk's memory is gone when the callback returns. */
  onData(callback: (chunk: ArrayBuffer, last: boolean) => void): UwsResponse;
  pause(): void;
  resume(): void;
  cork(callback: () => void): UwsResponse;
  /** 4 or 16 bytes; 0 for a Unix socket. */
  getRemoteAddress(): ArrayBuffer;
  /** Missing in the compatibility build. */
  getRemotePort?(): number;
  /** Within a cork and behind `writeStatus`. Calls the behaviour's `open` from within. Extensions: always ''. */
  upgrade(userData: object, key: string, protocol: string, extensions: string, context: UwsWebSocketContext): void;
}

/** What an upgrade is for; opaque. */
export interface UwsWebSocketContext {
  readonly webSocketContext?: never;
}

/** Every use after `end`, `close` or the behaviour's `close` throws, also from within that. */
export interface UwsWebSocket {
  /** 1 sent, 0 buffered, 2 dropped, which happens with a bound on the buffer only. */
  send(message: UwsBytes, isBinary: boolean): number;
  ping(): number;
  /** Sends a close frame, without a payload for code 0, and calls the behaviour's `close` from within. Cut 4 s later. */
  end(code: number, reason: UwsBytes): void;
  close(): void;
  getBufferedAmount(): number;
  /** The object given to `upgrade`, its properties copied. */
  getUserData(): unknown;
}

export interface UwsWebSocketBehavior {
  readonly compression: 0;
  readonly maxPayloadLength: number;
  /** 0: none. */
  readonly idleTimeout: 0;
  /** 0: no bound. */
  readonly maxBackpressure: 0;
  readonly sendPingsAutomatically: false;
  /** Called for GET with a Sec-WebSocket-Key of 24 characters, and nothing else checked; answers it one way or the other. */
  upgrade(response: UwsResponse, request: UwsRequest, context: UwsWebSocketContext): void;
  message(socket: UwsWebSocket, message: ArrayBuffer, isBinary: boolean): void;
  drain(socket: UwsWebSocket): void;
  ping(socket: UwsWebSocket): void;
  pong(socket: UwsWebSocket): void;
  open(socket: UwsWebSocket): void;
  /** 1005 without a code, 1006 without a frame; 0 for an `end` of our own without a code. */
  close(socket: UwsWebSocket, code: number, reason: ArrayBuffer): void;
}

/** Valid within the request callback only. */
export interface UwsRequest {
  /** To be called before `getMethod`, which changes the method's bytes. */
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  /** Undefined without `?`. */
  getQuery(): string | undefined;
  /** Latin-1, so that no byte is lost; of the first field of that name. A name in bytes is read a fifth faster than text. */
  getHeader(name: string | ArrayBuffer): string;
  /** Names in lower case; values decoded as UTF-8, which loses bytes that are none. */
  forEach(callback: (name: string, value: string) => void): void;
}

/** An open listening socket; opaque. */
export interface UwsListenSocket {
  readonly listenSocket?: never;
}

export interface UwsApp {
  get(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp;
  any(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp;
  ws(pattern: string, behavior: UwsWebSocketBehavior): UwsApp;
  /** Called with 1 for each connection that opens and -1 for each that closes, but for WebSockets. */
  filter(callback: (response: UwsResponse, change: number) => void): UwsApp;
  listen(host: string, port: number, callback: (socket: UwsListenSocket | false) => void): UwsApp;
  listen(port: number, callback: (socket: UwsListenSocket | false) => void): UwsApp;
  close(): UwsApp;
}

/** Files in PEM; BoringSSL reads them when the app is made, and what it cannot use is thrown. */
export interface UwsTlsOptions {
  readonly cert_file_name: string;
  readonly key_file_name: string;
  /** Of TLS 1.2; those of 1.3 cannot be chosen. */
  readonly ssl_ciphers: string;
}

export interface UwsModule {
  App(): UwsApp;
  SSLApp(options: UwsTlsOptions): UwsApp;
  us_listen_socket_close(socket: UwsListenSocket): void;
  us_socket_local_port(socket: UwsListenSocket): number;
  /** `silent`: no `uWebSockets` field in responses. */
  _cfg(option: 'silent'): void;
}
