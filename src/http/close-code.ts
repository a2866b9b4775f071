/** Why a WebSocket ended (RFC 6455 section 7.4.1), as far as Portico says so itself or has to know it. */
export const closeCodes = {
  goingAway: 1001,
  /** A close frame without a code. Never sent. */
  none: 1005,
  /** The connection ended without a close frame. Never sent. */
  lost: 1006,
  tooLarge: 1009,
  internal: 1011,
  tryLater: 1013,
} as const;

/** Whether a close frame may hold the code: registered by IANA, or of the ranges for libraries and applications. */
export function maySendCloseCode(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== closeCodes.none && code !== closeCodes.lost;
}

/** A label for metrics, of which there are few: the ranges for libraries and applications are taken together. */
export function closeCodeLabel(code: number): string {
  if (code === closeCodes.none) return 'none';
  if (code === closeCodes.lost) return 'lost';
  if (!maySendCloseCode(code)) return 'other';
  if (code < 3000) return String(code);
  return code < 4000 ? '3xxx' : '4xxx';
}
