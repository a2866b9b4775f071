import type { RequestContext } from '../request/request-context.ts';
import { respondError } from '../response/error-response.ts';
import { PorticoError } from '../response/portico-error.ts';
import type { FileResponse } from '../static/range-response.ts';
import { type RangeSource, RangeStream } from '../static/range-stream.ts';
import type { ReadBufferPool } from '../static/read-buffer-pool.ts';
import type { BodyRead, FileBody, StoreEntry } from './response-store.ts';

/** What answers otherwise when a body cannot be read and nothing of it was sent. */
type Gone = (context: RequestContext) => void;

/** Sends a stored body from its file, piece by piece as the client takes them. What was read is verified before it goes out. */
export function streamEntry(
  context: RequestContext,
  entry: StoreEntry,
  response: FileResponse,
  buffers: ReadBufferPool,
  gone: Gone,
): void {
  const { exchange } = context;
  if (exchange.aborted) return;
  // What others wanted to hear while they had the request; the stream has its own.
  exchange.onAborted = undefined;
  exchange.onDrain = undefined;
  entry.openBody((body) => {
    if (body !== undefined) new RangeStream(context, response, new StoredBody(context, body, gone), buffers).start();
    else if (!exchange.aborted) gone(context);
  });
}

/** A body in a file of the store, into which nobody writes any more. */
class StoredBody implements RangeSource {
  private readonly context: RequestContext;
  private readonly body: FileBody;
  private readonly gone: Gone;

  constructor(context: RequestContext, body: FileBody, gone: Gone) {
    this.context = context;
    this.body = body;
    this.gone = gone;
  }

  read(memory: Buffer, offset: number, length: number, position: number, done: BodyRead): void {
    this.body.read(memory, offset, length, position, done);
  }

  /** What a thread reads is verified as well. */
  mayReadNow(): boolean {
    return false;
  }

  readNow(): number {
    return 0;
  }

  isUnchanged(): boolean {
    return true;
  }

  unreadable(error: Error | null): void {
    const { context } = this;
    if (!context.exchange.responded) return this.gone(context);
    const reason = error?.message ?? 'the stored response ended too early';
    respondError(context, new PorticoError('file_unreadable', reason, { cause: error ?? undefined }));
  }

  close(): void {
    this.body.close();
  }
}
