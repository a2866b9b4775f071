/** What is buffered of the requests and responses of a proxied route; sizes in bytes. */
export interface BufferingConfig {
  readonly request: boolean;
  readonly response: boolean;
  readonly requestMemory: number;
  readonly responseMemory: number;
  readonly responseMax: number;
}

/** Where a route says nothing, and where there is no place to say something: a static route's `passThrough`. */
export const bufferingDefaults: BufferingConfig = {
  request: true,
  response: true,
  requestMemory: 64 * 1024,
  responseMemory: 256 * 1024,
  responseMax: 1024 ** 3,
};

/** For `buffering: false`. */
export const noBuffering: BufferingConfig = { ...bufferingDefaults, request: false, response: false };
