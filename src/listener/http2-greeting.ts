import { FrameType, numberFrame, Setting, settingsFrame } from '../http2/frame.ts';
import { connectionWindow, streamWindow } from './http2-receive-window.ts';

/** Window of a connection that nobody has widened (RFC 9113 section 6.9.2). */
const initialWindow = 65_535;

/** What a connection begins with: what the client may do, and how much it may send. */
export function greeting(maxStreams: number, requestHeadBytes: number): Buffer {
  const settings = settingsFrame([
    [Setting.maxConcurrentStreams, maxStreams],
    [Setting.initialWindowSize, streamWindow],
    [Setting.maxHeaderListSize, requestHeadBytes],
    [Setting.enableConnectProtocol, 0],
  ]);
  return Buffer.concat([settings, numberFrame(FrameType.windowUpdate, 0, connectionWindow - initialWindow)]);
}
