import { performance } from 'node:perf_hooks';
import type { HeadBlock } from './head-block.ts';
import type { ReadBuffers } from './read-buffers.ts';
import { ResponseParser } from './response-parser.ts';
import { SecureDial } from './secure-dial.ts';
import type { ServerTls } from './server-tls.ts';
import { type LingeringSocket, lingering, UpstreamSocket } from './upstream-socket.ts';

/** Where to connect to. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** Who has a connection for a request and its response. */
export interface ConnectionUser {
  /** The connection is open: send now. Not called for one that was open already. */
  connected(): void;
  /** The connection did not open. Last call. */
  refused(error: Error): void;
  /** Bytes were fed to the parser. @returns false to stop reading until `Connection.resume` */
  received(): boolean;
  /** What was sent has left. */
  drained(): void;
  /** The server has ended its side in order, where the user can do with that: without it, the connection ends then. */
  halfClosed?(): void;
  /** The connection has ended or broken: `error` undefined when the server closed it in order. Last call. */
  lost(error: Error | undefined): void;
  /** `Connection.deadlineAt` has passed. */
  expired(): void;
  /** One of the calls above has thrown: a defect, which must cost no more than the request. */
  broke(cause: unknown): void;
}

/** Whose connections they are: a server. */
export interface ConnectionOwner {
  /** How connections are secured that begin now; undefined: not at all. */
  readonly tls: ServerTls | undefined;
  opened(connection: Connection): void;
  /** A try at one address failed: the owner calls `begin` with another one, or `giveUp`, now or later. */
  attemptFailed(connection: Connection, failed: SocketAddress, error: Error): void;
  /** The connection is free for another request. @returns whether it is kept */
  offer(connection: Connection, now: number): boolean;
  closed(connection: Connection): void;
}

const State = { connecting: 0, busy: 1, idle: 2, closed: 3 } as const;
type State = (typeof State)[keyof typeof State];

/** Silence after which the kernel asks whether the server of another protocol is still there, milliseconds. */
const keepAliveMs = 60_000;
/** Bytes that may wait to be sent before the sender is asked to stop. */
const sendBound = 65_536;

/** One connection to a server: reads into one buffer of its own, without Node's stream machinery, and carries one request at a time. */
export class Connection {
  readonly parser: ResponseParser;
  user: ConnectionUser | undefined;
  address: SocketAddress | undefined;
  /** How it is secured. */
  tls: ServerTls | undefined;
  /** `performance.now()` after which the user is told `expired`. */
  deadlineAt = Number.POSITIVE_INFINITY;
  readonly startedAt = performance.now();
  idleSince = 0;
  /** Whether a request went over it before the present one. */
  reused = false;
  /** Set while somebody else still reads the chunk that was parsed last. */
  lent = false;

  private readonly owner: ConnectionOwner;
  private readonly buffers: ReadBuffers;
  /** What comes is read into it; TLS brings memory of its own. */
  private buffer: Buffer | undefined;
  /** What is sent before everything else. */
  private readonly header: Uint8Array | undefined;
  private dial: SecureDial | undefined;
  /** Bytes read last. */
  private readBytes = 0;
  private socket: LingeringSocket | undefined;
  private state: State = State.connecting;
  private readingStopped = false;

  /**
   * Makes a connection that waits for `begin`.
   * @param header sent first, before TLS
   */
  constructor(
    owner: ConnectionOwner,
    user: ConnectionUser,
    block: HeadBlock,
    buffers: ReadBuffers,
    header?: Uint8Array,
  ) {
    this.owner = owner;
    this.user = user;
    this.buffers = buffers;
    this.buffer = undefined;
    this.header = header;
    this.parser = new ResponseParser(block);
  }

  /** Connects to an address, the first one or the next. */
  begin(address: SocketAddress): void {
    if (this.state !== State.connecting) return;
    this.address = address;
    const { tls } = this.owner;
    this.tls = tls;
    if (tls !== undefined) return this.beginSecurely(address, tls);
    const socket = this.makeSocket();
    this.socket = socket;
    socket.connect('path' in address ? address : { ...address, noDelay: true });
    if (this.header !== undefined) socket.write(this.header);
  }

  /** The time for connecting is over. @returns what had not come by then */
  expire(): 'connection' | 'TLS' {
    const missing = this.dial?.expire() ?? 'connection';
    this.destroy();
    return missing;
  }

  /** There is no address left to try. */
  giveUp(error: Error): void {
    if (this.state !== State.connecting) return;
    const { user } = this;
    this.destroy();
    tell(user, (one) => one.refused(error));
  }

  get isOpen(): boolean {
    return this.state === State.busy || this.state === State.idle;
  }

  get isConnecting(): boolean {
    return this.state === State.connecting;
  }

  /** Whether as much waits to be sent that the sender should stop until `drained`. */
  get isBacklogged(): boolean {
    return this.socket !== undefined && this.socket.writableLength >= sendBound;
  }

  /** Whether something waits to be sent; `drained` comes then. */
  get isSending(): boolean {
    return this.socket?.writableNeedDrain === true;
  }

  /** Whether everything that was sent has left the process. */
  get hasSentAll(): boolean {
    return this.socket?.writableLength === 0;
  }

  /** Gives an idle connection to a request. */
  assign(user: ConnectionUser): void {
    this.user = user;
    this.state = State.busy;
    this.reused = true;
  }

  /**
   * Sends text (Latin-1) and the bytes behind it in one system call. Never fails: `lost` comes instead.
   * @param left called when the chunk's memory is not needed any more, be it within this call; perhaps never when the
   *             connection is lost
   */
  send(text: string, chunk?: Uint8Array, left?: () => void): void {
    const { socket } = this;
    if (socket === undefined || socket.writeFailed || this.state === State.closed) return;
    if (chunk === undefined) {
      socket.write(text, 'latin1');
      return;
    }
    const { sending } = this.buffers;
    // TLS copies both anyway.
    if (this.tls === undefined && sending.fits(text, chunk)) {
      socket.write(sending.join(text, chunk));
      if (socket.writableLength > 0) sending.giveAway();
      left?.();
      return;
    }
    socket.cork();
    socket.write(text, 'latin1');
    socket.write(chunk, left);
    socket.uncork();
  }

  /** As `send`; `left` is called when the chunk's memory is free again: not once the connection has failed. */
  sendThen(text: string, chunk: Uint8Array, left: () => void): void {
    const { socket } = this;
    if (socket === undefined || socket.writeFailed || this.state === State.closed) return;
    const done = (error?: Error | null): void => {
      if (!error) tell(this.user, left);
    };
    if (text === '') {
      socket.write(chunk, done);
      return;
    }
    socket.cork();
    socket.write(text, 'latin1');
    socket.write(chunk, done);
    socket.uncork();
  }

  /** Sends a chunk of a chunked body with its frame around it, in one system call. `left` as for `send`. */
  sendFramed(text: string, chunk: Uint8Array, left?: () => void): void {
    const { socket } = this;
    if (socket === undefined || socket.writeFailed || this.state === State.closed) return;
    socket.cork();
    socket.write(`${text}${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk, left);
    socket.write('\r\n', 'latin1');
    socket.uncork();
  }

  /** `left` as for `send`. */
  sendBytes(chunk: Uint8Array, left?: () => void): void {
    const { socket } = this;
    if (socket === undefined || socket.writeFailed || this.state === State.closed) return;
    socket.write(chunk, left);
  }

  /** Goes on reading after `received` returned false. */
  resume(): void {
    if (!this.readingStopped || !this.isOpen) return;
    this.readingStopped = false;
    this.socket?.resume();
  }

  /** The response is complete and the request was sent whole: keeps the connection for another one, or closes it. */
  release(now: number): void {
    this.user = undefined;
    this.deadlineAt = Number.POSITIVE_INFINITY;
    const { parser, socket } = this;
    const reusable = this.state === State.busy && parser.persistent && !parser.hasExcess;
    if (!reusable || socket === undefined || socket.writeFailed || socket.writableLength > 0) return this.destroy();
    this.state = State.idle;
    if (!this.owner.offer(this, now)) return this.destroy();
    // An idle connection is read as well: that is how its end is noticed.
    this.resume();
  }

  /**
   * The connection speaks another protocol from now on, and belongs to that user to its end: each side may end alone, and the
   * kernel asks whether a silent server is still there.
   */
  switchTo(user: ConnectionUser): void {
    this.user = user;
    const { socket } = this;
    if (socket === undefined) return;
    socket.allowHalfOpen = true;
    socket.setKeepAlive(true, keepAliveMs);
  }

  /** Ends this side behind what was sent; the server may go on. */
  end(): void {
    this.socket?.end();
  }

  /** As `destroy`, but so that the server does not take what it got for complete. */
  cut(): void {
    const { socket } = this;
    // Over TLS an end without the alert that closes says so; Unix sockets have no resets.
    if (this.tls === undefined && socket?.remoteFamily !== undefined) socket.resetAndDestroy();
    this.destroy();
  }

  /** Tells the user when the deadline has passed. */
  checkDeadline(now: number): void {
    if (now < this.deadlineAt) return;
    this.deadlineAt = Number.POSITIVE_INFINITY;
    tell(this.user, (user) => user.expired());
  }

  /** Closes the connection whatever it is doing; the user is not told. */
  destroy(): void {
    if (this.state === State.closed) return;
    this.state = State.closed;
    this.user = undefined;
    this.dial?.destroy();
    if (this.socket === undefined) this.giveBuffer();
    else this.socket.destroy();
    this.owner.closed(this);
  }

  private makeSocket(): UpstreamSocket {
    const socket = new UpstreamSocket(
      () => this.nextBuffer(),
      (count) => this.read(this.buffer as Buffer, count),
    );
    socket.on('connect', () => this.opened());
    this.listenTo(socket);
    return socket;
  }

  private beginSecurely(address: SocketAddress, tls: ServerTls): void {
    const dial = new SecureDial(address, tls, this.header, {
      secured: (socket) => {
        if (this.state !== State.connecting || dial !== this.dial) return void socket.destroy();
        this.dial = undefined;
        this.socket = lingering(socket);
        this.listenTo(this.socket);
        socket.on('data', (chunk) => {
          if (!this.read(chunk, chunk.length)) socket.pause();
        });
        this.opened();
      },
      failed: (error) => {
        if (this.state !== State.connecting || dial !== this.dial) return;
        this.dial = undefined;
        this.owner.attemptFailed(this, address, error);
      },
    });
    this.dial = dial;
  }

  private listenTo(socket: LingeringSocket): void {
    socket.on('drain', () => tell(this.user, (user) => user.drained()));
    socket.on('end', () => this.serverEnded(socket));
    socket.on('error', (error) => this.ended(socket, error));
    socket.on('close', () => {
      this.ended(socket, undefined);
      if (socket === this.socket && !this.lent) this.giveBuffer();
    });
  }

  private giveBuffer(): void {
    if (this.buffer !== undefined) this.buffers.give(this.buffer);
    this.buffer = undefined;
  }

  /** Behind a read that filled it, a larger one; what was read may be looked at yet where it is, and then nobody else gets that. */
  private nextBuffer(): Buffer {
    const buffer = (this.buffer ??= this.buffers.take());
    const next = this.buffers.next(buffer, this.readBytes);
    if (next === buffer) return buffer;
    this.buffer = next;
    if (!this.lent) this.buffers.give(buffer);
    return next;
  }

  private opened(): void {
    if (this.state !== State.connecting) return;
    this.state = State.busy;
    this.owner.opened(this);
    tell(this.user, (user) => user.connected());
  }

  private read(bytes: Buffer, count: number): boolean {
    const { user } = this;
    if (this.state !== State.busy || user === undefined) {
      // Nobody asked for anything: what comes on an idle connection belongs to no request.
      this.destroy();
      return false;
    }
    this.readBytes = count;
    this.parser.feed(bytes, 0, count);
    let goOn = false;
    try {
      goOn = user.received();
    } catch (cause) {
      user.broke(cause);
    }
    if (!goOn) this.readingStopped = true;
    return goOn;
  }

  private serverEnded(socket: LingeringSocket): void {
    const { user } = this;
    if (socket !== this.socket || user?.halfClosed === undefined) return this.ended(socket, undefined);
    tell(user, (one) => one.halfClosed?.());
  }

  private ended(socket: LingeringSocket, error: Error | undefined): void {
    if (this.state === State.closed || socket !== this.socket) return;
    if (this.state === State.connecting) {
      this.socket = undefined;
      return this.owner.attemptFailed(
        this,
        this.address as SocketAddress,
        error ?? new Error('closed while it opened'),
      );
    }
    const { user } = this;
    this.destroy();
    tell(user, (one) => one.lost(error));
  }
}

function tell(user: ConnectionUser | undefined, call: (user: ConnectionUser) => void): void {
  if (user === undefined) return;
  try {
    call(user);
  } catch (cause) {
    user.broke(cause);
  }
}
