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
}

/** Valid within the request callback only. */
export interface UwsRequest {
  /** To be called before `getMethod`, which changes the method's bytes. */
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  /** Undefined without `?`. */
  getQuery(): string | undefined;
  /** Latin-1, so that no byte is lost; of the first field of that name. */
  getHeader(name: string): string;
  /** Names in lower case; values decoded as UTF-8, which loses bytes that are none. */
  forEach(callback: (name: string, value: string) => void): void;
}

/** An open listening socket; opaque. */
export interface UwsListenSocket {
  readonly listenSocket?: never;
}

export interface UwsApp {
  any(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): UwsApp;
  /** Called with 1 for each connection that opens and -1 for each that closes. */
  filter(callback: (response: UwsResponse, change: number) => void): UwsApp;
  listen(host: string, port: number, callback: (socket: UwsListenSocket | false) => void): UwsApp;
  listen(port: number, callback: (socket: UwsListenSocket | false) => void): UwsApp;
  close(): UwsApp;
}

export interface UwsModule {
  App(): UwsApp;
  us_listen_socket_close(socket: UwsListenSocket): void;
  us_socket_local_port(socket: UwsListenSocket): number;
  /** `silent`: no `uWebSockets` field in responses. */
  _cfg(option: 'silent'): void;
}
