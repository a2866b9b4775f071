import { type ErrorCode, type ErrorSide, errorCodes } from './error-code.ts';

/** An error of a request, as a value: its code says the status, whose fault it is, and whether a retry makes sense. */
export class PorticoError extends Error {
  readonly code: ErrorCode;
  /** `\r\nname: value` lines that the response to it carries, such as Allow for 405. */
  readonly fields: Buffer | undefined;
  /** The code's, unless the configuration has another one for this case. */
  readonly status: number;

  /** @param detail for the log and the operator, never for the client */
  constructor(code: ErrorCode, detail: string, options?: ErrorOptions & { fields?: Buffer; status?: number }) {
    super(detail, options);
    this.name = 'PorticoError';
    this.code = code;
    this.fields = options?.fields;
    this.status = options?.status ?? errorCodes[code].status;
  }

  get side(): ErrorSide {
    return errorCodes[this.code].side;
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }
}
