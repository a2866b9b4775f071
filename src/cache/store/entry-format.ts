/**
 * The file of an entry:
 *
 *   preamble   32 bytes: magic with version, bytes of a slot, bytes of a piece, number of the body, checksum
 *   slot, slot two places for the head, each: checksum, length, sequence, head; the valid one with the higher sequence counts
 *   body
 *   trailer    a checksum for each piece of the body, a checksum of these, the number of the body once more
 *
 * There are two slots so that a renewed head (RFC 9111 section 4.3.4) is written beside the old one and not over it: whoever
 * reads meanwhile, and whoever comes after a crash in the middle of it, finds the old head or the new one, and a body of a
 * gigabyte need not be copied, nor may two files drift apart. Everything else is written once, before the file gets its name.
 * Nothing is flushed to the device: after a loss of power checksums tell what did not get there.
 */
import { crc32 } from 'node:zlib';
import type { StoredHead } from './head-codec.ts';
import { decodeHead } from './head-codec.ts';

const magic = Buffer.from('PCache1\n', 'latin1');
const preambleBytes = 32;
const slotHeadBytes = 12;
/** For the bytes by which a renewed head may be longer: small bodies are written anew, large ones would be lost. */
const slotSlackBytes = 256;
const largeSlackBytes = 4096;
const largeBodyBytes = 64 * 1024;
const slotUnitBytes = 256;
/** Heads beyond it are no heads of ours. */
const maxSlotBytes = 4 * 1024 * 1024;

/** Bytes of body to a checksum. */
export const pieceBytes = 64 * 1024;
/** What one read brings of most entries: preamble, slots and small bodies. */
export const firstReadBytes = 16 * 1024;

/** Where things are in a file. */
export interface EntryLayout {
  readonly slotBytes: number;
  /** Tells this body from all others: of the same key, too. */
  readonly bodyNumber: bigint;
  readonly bodyOffset: number;
}

/**
 * @param headBytes of the head that it has at first
 * @param bodyLength undefined where it is not known yet
 */
export function layoutFor(headBytes: number, bodyNumber: bigint, bodyLength: number | undefined): EntryLayout {
  const slack = bodyLength === undefined || bodyLength > largeBodyBytes ? largeSlackBytes : slotSlackBytes;
  const slotBytes = Math.ceil((slotHeadBytes + headBytes + slack) / slotUnitBytes) * slotUnitBytes;
  return { slotBytes, bodyNumber, bodyOffset: preambleBytes + 2 * slotBytes };
}

/** Everything in front of the body, with the head in the first slot. */
export function encodeStart(layout: EntryLayout, head: Buffer): Buffer {
  const bytes = Buffer.alloc(layout.bodyOffset);
  magic.copy(bytes, 0);
  bytes.writeUInt32LE(layout.slotBytes, 8);
  bytes.writeUInt32LE(pieceBytes, 12);
  bytes.writeBigUInt64LE(layout.bodyNumber, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  encodeSlot(head, 1).copy(bytes, preambleBytes);
  return bytes;
}

/** @returns undefined when it is not, or not wholly, the preamble of such a file */
export function decodeLayout(bytes: Buffer): EntryLayout | undefined {
  if (bytes.length < preambleBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  if (bytes.readUInt32LE(24) !== crc32(bytes.subarray(0, 24))) return undefined;
  const slotBytes = bytes.readUInt32LE(8);
  if (bytes.readUInt32LE(12) !== pieceBytes || slotBytes < slotHeadBytes || slotBytes > maxSlotBytes) return undefined;
  return { slotBytes, bodyNumber: bytes.readBigUInt64LE(16), bodyOffset: preambleBytes + 2 * slotBytes };
}

/** The head that counts. */
export interface CurrentSlot {
  readonly head: StoredHead;
  readonly sequence: number;
  /** Which of the two. */
  readonly index: 0 | 1;
}

/** @param bytes the file up to the body at least */
export function decodeHeads(bytes: Buffer, layout: EntryLayout): CurrentSlot | undefined {
  const first = decodeSlot(bytes, layout, 0);
  const second = decodeSlot(bytes, layout, 1);
  if (first === undefined || second === undefined) return first ?? second;
  return second.sequence > first.sequence ? second : first;
}

export function slotOffset(layout: EntryLayout, index: 0 | 1): number {
  return preambleBytes + index * layout.slotBytes;
}

export function encodeSlot(head: Buffer, sequence: number): Buffer {
  const bytes = Buffer.allocUnsafe(slotHeadBytes + head.length);
  bytes.writeUInt32LE(head.length, 4);
  bytes.writeUInt32LE(sequence, 8);
  head.copy(bytes, slotHeadBytes);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** Whether a renewed head has room. */
export function fitsSlot(layout: EntryLayout, head: Buffer): boolean {
  return slotHeadBytes + head.length <= layout.slotBytes;
}

export function trailerBytes(bodyLength: number): number {
  return Math.ceil(bodyLength / pieceBytes) * 4 + 12;
}

/** Bytes of the whole file. */
export function fileBytes(layout: EntryLayout, bodyLength: number): number {
  return layout.bodyOffset + bodyLength + trailerBytes(bodyLength);
}

export function encodeTrailer(layout: EntryLayout, checksums: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(checksums.length * 4 + 12);
  checksums.forEach((checksum, index) => void bytes.writeUInt32LE(checksum, index * 4));
  const end = checksums.length * 4;
  bytes.writeBigUInt64LE(layout.bodyNumber, end + 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(end + 4), crc32(bytes.subarray(0, end))), end);
  return bytes;
}

/** The checksums of the pieces. @returns undefined when they are not what was written for this body */
export function decodeTrailer(bytes: Buffer, layout: EntryLayout, bodyLength: number): Buffer | undefined {
  if (bytes.length !== trailerBytes(bodyLength)) return undefined;
  const end = bytes.length - 12;
  const checksums = bytes.subarray(0, end);
  if (bytes.readBigUInt64LE(end + 4) !== layout.bodyNumber) return undefined;
  return bytes.readUInt32LE(end) === crc32(bytes.subarray(end + 4), crc32(checksums)) ? checksums : undefined;
}

function decodeSlot(bytes: Buffer, layout: EntryLayout, index: 0 | 1): CurrentSlot | undefined {
  const offset = slotOffset(layout, index);
  if (bytes.length < offset + layout.slotBytes) return undefined;
  const length = bytes.readUInt32LE(offset + 4);
  const end = offset + slotHeadBytes + length;
  if (length === 0 || slotHeadBytes + length > layout.slotBytes) return undefined;
  if (bytes.readUInt32LE(offset) !== crc32(bytes.subarray(offset + 4, end))) return undefined;
  const head = decodeHead(bytes.subarray(offset + slotHeadBytes, end));
  return head === undefined ? undefined : { head, sequence: bytes.readUInt32LE(offset + 8), index };
}
