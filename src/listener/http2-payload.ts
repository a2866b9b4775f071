import { ErrorCode, Flag, maxFrameBytes, maxWindow, Setting } from '../http2/frame.ts';
import { ConnectionFault } from './http2-frame-reader.ts';

/* What the payloads of frames are checked for, each by itself. All of it throws ConnectionFault. */

/** Without its padding (RFC 9113 section 6.1). */
export function unpadded(flags: number, payload: Buffer): Buffer {
  if ((flags & Flag.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) return protocolError('padding larger than the frame');
  return payload.subarray(1, payload.length - padding);
}

/** Without the priority, which RFC 9113 section 5.3 has given up. */
export function unprioritised(flags: number, payload: Buffer): Buffer {
  if ((flags & Flag.priority) === 0) return payload;
  if (payload.length < 5) throw new ConnectionFault(ErrorCode.frameSizeError, 'HEADERS of a wrong size');
  return payload.subarray(5);
}

export function protocolError(detail: string): never {
  throw new ConnectionFault(ErrorCode.protocolError, detail);
}

export function checkSize(payload: Buffer, size: number, frame: string): void {
  if (payload.length !== size) throw new ConnectionFault(ErrorCode.frameSizeError, `${frame} of a wrong size`);
}

/** Checks the settings of a client. @returns the values of INITIAL_WINDOW_SIZE, the only one that is of use here */
export function readInitialWindows(payload: Buffer): number[] {
  if (payload.length % 6 !== 0) throw new ConnectionFault(ErrorCode.frameSizeError, 'SETTINGS of a wrong size');
  const windows: number[] = [];
  for (let at = 0; at < payload.length; at += 6) {
    const [id, value] = [payload.readUInt16BE(at), payload.readUInt32BE(at + 2)];
    checkSetting(id, value);
    if (id === Setting.initialWindowSize) windows.push(value);
  }
  return windows;
}

/** Checks one setting (RFC 9113 section 6.5.2). */
function checkSetting(id: number, value: number): void {
  if (id === Setting.enablePush && value > 1) protocolError('ENABLE_PUSH that is neither 0 nor 1');
  if (id === Setting.maxFrameSize && (value < maxFrameBytes || value > 0xffffff))
    protocolError('a wrong MAX_FRAME_SIZE');
  if (id === Setting.initialWindowSize && value > maxWindow) {
    throw new ConnectionFault(ErrorCode.flowControlError, 'a window too large');
  }
}
