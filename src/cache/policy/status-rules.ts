/** Statuses of which a lifetime may be guessed (RFC 9110 section 15.1), without 206, of which nothing is stored. */
export const heuristicStatuses: ReadonlySet<number> = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);

/** Statuses whose meaning for caches is known and kept to: what `must-understand` asks for (RFC 9111 section 5.2.2.3). */
export const understoodStatuses: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411,
  413, 414, 415, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508,
  511,
]);

/**
 * Statuses that answer one request only, whatever their fields say: parts, what depends on the conditions or the range of a
 * request, and what is between a client and its proxy.
 */
export const neverStoredStatuses: ReadonlySet<number> = new Set([206, 304, 407, 412, 416]);
