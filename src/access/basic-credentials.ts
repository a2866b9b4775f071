/** What a client sent as its user and password. */
export interface BasicCredentials {
  /** Latin-1, one character a byte. */
  readonly user: string;
  readonly password: Buffer;
}

/** Longest field that is looked at. */
const maxLength = 2048;
const form = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/** Reads an Authorization field (RFC 7617 section 2); undefined when it holds no usable user and password. */
export function readBasicCredentials(authorization: string): BasicCredentials | undefined {
  if (authorization.length > maxLength) return undefined;
  const text = form.exec(authorization)?.[1];
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, 'base64');
  const colon = bytes.indexOf(0x3a);
  const password = bytes.subarray(colon + 1);
  // What is behind a zero byte would not count in some implementations of bcrypt.
  if (colon < 1 || password.includes(0)) return undefined;
  return { user: bytes.toString('latin1', 0, colon), password };
}
