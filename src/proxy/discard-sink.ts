import type { ResponseSink } from './response-sink.ts';

/** Takes a response that nobody waits for any more. */
export class DiscardSink implements ResponseSink {
  onDrain: (() => void) | undefined;
  bytesSent = 0;

  respond(_head: unknown, body: Uint8Array): void {
    this.bytesSent = body.length;
  }

  respondHead(): void {}

  stream(_head: unknown, _length: number | undefined, chunk?: Uint8Array): boolean {
    this.bytesSent += chunk?.length ?? 0;
    return true;
  }

  write(chunk: Uint8Array): boolean {
    this.bytesSent += chunk.length;
    return true;
  }

  copyHeld(): void {}

  end(): void {}

  abort(): void {}
}
