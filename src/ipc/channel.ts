import type { SendHandle } from 'node:child_process';

/** What both ends of the pipe between primary and worker offer: a ChildProcess, or `process` itself. */
export interface ChannelEndpoint {
  readonly connected: boolean;
  send(message: unknown, handle: SendHandle | undefined, callback: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
}

/**
 * Typed messages over a process pipe. Sending never throws: the other side may die at any moment (EPIPE,
 * ERR_IPC_CHANNEL_CLOSED), and its death is learnt from the exit or disconnect event, not from here.
 */
export class Channel<Outgoing extends { readonly type: string }, Incoming extends { readonly type: string }> {
  private readonly endpoint: ChannelEndpoint;
  private readonly onLost: (type: string, error: Error) => void;

  /** @param onLost told of each message that did not get through although the channel was open when it was sent */
  constructor(endpoint: ChannelEndpoint, onLost: (type: string, error: Error) => void) {
    this.endpoint = endpoint;
    this.onLost = onLost;
  }

  /**
   * @param handle a socket that goes with it; this process has it still
   * @returns false when the channel is closed already, so that no answer is to be waited for
   */
  send(message: Outgoing, handle?: SendHandle): boolean {
    if (!this.endpoint.connected) return false;
    try {
      this.endpoint.send(message, handle, (error) => {
        if (error !== null) this.onLost(message.type, error);
      });
      return true;
    } catch (error) {
      // The channel closed in between, or the message cannot be serialised, which would be a defect of ours.
      this.onLost(message.type, error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }

  /** Anything that is not a message of ours is passed over: libraries may talk over the same pipe. */
  receive(listener: (message: Incoming) => void): void {
    this.endpoint.on('message', (message) => {
      if (isMessage(message)) listener(message as Incoming);
    });
  }
}

function isMessage(value: unknown): value is { type: string } {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}
