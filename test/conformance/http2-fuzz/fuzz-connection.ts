import { Flag, FrameType, frame } from '../../../src/http2/frame.ts';
import { RawHttp2Client } from '../../support/raw-http2-client.ts';
import type { FuzzedHttp2 } from './connection-grammar.ts';
import type { ReferenceReading } from './reference-reader.ts';

/** What a client has got on its connection. */
export interface Http2Answers {
  /** Of streams that were answered. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Streams that the server has reset. */
  readonly resets: ReadonlySet<number>;
  /** The code of its GOAWAY. */
  readonly goaway: number | undefined;
  /** Whether it ended the connection before the client did. */
  readonly closed: boolean;
  /** Whether it answered a PING behind everything else. */
  readonly pong: boolean;
}

const question = Buffer.from('at last?');

/** Sends a fuzzed connection in its pieces, and waits for everything that has to come of it; then it ends its side. */
export async function converse(
  port: number,
  localAddress: string,
  { bytes, cuts }: FuzzedHttp2,
  reading: ReferenceReading,
): Promise<Http2Answers> {
  const client = await RawHttp2Client.connect(port, false, localAddress);
  const { frames } = client;
  try {
    let from = 0;
    for (const cut of [...cuts, 1]) {
      const to = Math.round(cut * bytes.length);
      await new Promise<void>((resolve) => client.socket.write(bytes.subarray(from, to), () => resolve()));
      from = to;
    }
    const pong = (): boolean =>
      frames.some(
        ({ type, flags, payload }) => type === FrameType.ping && flags === Flag.ack && payload.equals(question),
      );
    const reset = (stream: number): boolean =>
      frames.some(({ type, stream: id }) => type === FrameType.rstStream && id === stream);
    const settled = (): boolean =>
      [...reading.streams].every(
        ([id, { state }]) => state === 'begun' || state === 'doubtful' || client.status(id) > 0 || reset(id),
      );
    const mayAsk = !reading.incomplete && reading.fault === undefined;
    if (mayAsk) client.send(frame(FrameType.ping, 0, 0, question));
    await client.until(() => client.ended || (reading.fault === undefined && settled() && (!mayAsk || pong())));
    const closed = client.ended;
    // What has begun and will not end is cut off with the connection.
    client.socket.end();
    await client.until(() => client.ended);
    const goaway = frames.find(({ type }) => type === FrameType.goaway)?.payload.readUInt32BE(4);
    const ids = [...new Set(frames.map(({ stream }) => stream))];
    const statuses = new Map(ids.filter((id) => client.status(id) > 0).map((id) => [id, client.status(id)]));
    return { statuses, resets: new Set(ids.filter(reset)), goaway, closed, pong: pong() };
  } finally {
    client.destroy();
  }
}
