import { ErrorCode, Flag, FrameType, frame, numberFrame } from '../../../src/http2/frame.ts';
import { getFields, headerBlock } from '../../support/raw-http2-client.ts';

type Field = readonly [string, string];

/** A malformed or hostile use of HTTP/2, and what must become of it. */
export interface HostileHttp2 {
  /** Completes the sentence "a connection with …". */
  readonly name: string;
  readonly frames: readonly Uint8Array[];
  readonly expected: Http2Expectation;
}

export type Http2Expectation =
  /** Answered with that status on stream 1; no handler sees a request. The connection lives on. */
  | { readonly outcome: 'refused'; readonly status: number }
  /** Stream 1 is reset with that code; no handler sees a whole request. The connection lives on. */
  | { readonly outcome: 'reset'; readonly code: number }
  /** The connection ends with that code in its GOAWAY. */
  | { readonly outcome: 'goaway'; readonly code: number }
  /** Exactly one request is seen: this one. */
  | {
      readonly outcome: 'canonical';
      readonly method: string;
      readonly target: string;
      readonly body?: string;
      readonly fields?: Readonly<Record<string, string>>;
    };

const whole = Flag.endHeaders | Flag.endStream;
const nothing = Buffer.alloc(0);

function headers(fields: readonly Field[], flags: number = whole, stream = 1): Buffer {
  return frame(FrameType.headers, flags, stream, headerBlock(fields));
}

function data(text: string, flags: number = Flag.endStream, stream = 1): Buffer {
  return frame(FrameType.data, flags, stream, Buffer.from(text, 'latin1'));
}

const post = (...more: readonly Field[]): Field[] => [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/p'],
  ...more,
];
const malformed: Http2Expectation = { outcome: 'refused', status: 400 };
const goaway = (code: number): Http2Expectation => ({ outcome: 'goaway', code });
const protocolError = goaway(ErrorCode.protocolError);

function request(name: string, fields: readonly Field[], expected: Http2Expectation = malformed): HostileHttp2 {
  return { name, frames: [headers(fields)], expected };
}

function without(name: string): Field[] {
  return getFields('/').filter(([one]) => one !== name);
}

function withPseudo(name: string, value: string): Field[] {
  return getFields('/').map(([one, old]) => [one, one === name ? value : old] as const);
}

/** A GET whose fields come in so many frames of some 8,000 bytes. */
function largeHead(pieces: number): Uint8Array[] {
  const rest = Array.from({ length: pieces }, (_, index) => {
    const flags = index === pieces - 1 ? Flag.endHeaders : 0;
    return frame(FrameType.continuation, flags, 1, headerBlock([[`x-${index}`, 'v'.repeat(8000)]]));
  });
  return [headers(getFields('/'), Flag.endStream), ...rest];
}

/** The pseudo-header fields of a handshake over HTTP/2, and further fields. */
const handshake = (...more: readonly Field[]): Field[] => [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  ...getFields('/ws').filter(([name]) => name !== ':method'),
  ...more,
];
const version: Field = ['sec-websocket-version', '13'];
const notHandshake = (name: string, fields: readonly Field[], status = 400): HostileHttp2 => ({
  name: `an extended CONNECT ${name}`,
  frames: [headers(fields, Flag.endHeaders)],
  expected: { outcome: 'refused', status },
});

/** RFC 8441 sections 4 and 5, RFC 9113 section 8.5. */
const extendedConnects: readonly HostileHttp2[] = [
  request('a :protocol without the method CONNECT', [[':protocol', 'websocket'], ...getFields('/')]),
  notHandshake('for another protocol', [[':protocol', 'connect-udp'], ...handshake(version).filter(isNoProtocol)], 501),
  notHandshake('for no protocol', [[':protocol', ''], ...handshake(version).filter(isNoProtocol)], 501),
  notHandshake('for two protocols', [[':protocol', 'websocket'], ...handshake(version)]),
  ...[':path', ':scheme', ':authority'].map((missing) =>
    notHandshake(
      `without ${missing}`,
      handshake(version).filter(([name]) => name !== missing),
    ),
  ),
  notHandshake(
    'with a :scheme of WebSockets',
    handshake(version).map(([name, value]) => [name, name === ':scheme' ? 'wss' : value] as const),
  ),
  notHandshake('without a version', handshake(), 426),
  notHandshake('for another version', handshake(['sec-websocket-version', '8']), 426),
  notHandshake('with two versions', handshake(version, version), 426),
  notHandshake('with a subprotocol that is no token', handshake(version, ['sec-websocket-protocol', 'a b'])),
  notHandshake('with a subprotocol twice', handshake(version, ['sec-websocket-protocol', 'a, a'])),
  notHandshake('with a length', handshake(version, ['content-length', '0'])),
  notHandshake('with Upgrade', handshake(version, ['upgrade', 'websocket'])),
  notHandshake('with Connection', handshake(version, ['connection', 'upgrade'])),
  {
    name: 'an extended CONNECT that ends its stream',
    frames: [headers(handshake(version))],
    expected: malformed,
  },
  {
    name: 'an extended CONNECT and more than a window behind it',
    frames: [
      headers(
        handshake(version).map(([name, value]) => [name, value === '/ws' ? '/held' : value] as const),
        Flag.endHeaders,
      ),
      ...Array.from({ length: 17 }, () => frame(FrameType.data, 0, 1, Buffer.alloc(16_384))),
    ],
    expected: { outcome: 'reset', code: ErrorCode.flowControlError },
  },
];

function isNoProtocol([name]: Field): boolean {
  return name !== ':protocol';
}

/** Requests that would mean something else in HTTP/1.1, or nothing (RFC 9113 sections 8.2, 8.3 and 10.3). */
export const hostileFields: readonly HostileHttp2[] = [
  request('no :method', without(':method')),
  request('no :path', without(':path')),
  request('no :scheme', without(':scheme')),
  request('neither :authority nor Host', without(':authority')),
  request('an empty :path', withPseudo(':path', '')),
  request('an empty :method', withPseudo(':method', '')),
  request('an empty :authority', withPseudo(':authority', '')),
  request('a :method with a space', withPseudo(':method', 'GET /smuggled HTTP/1.1')),
  request('a :method with CR LF', withPseudo(':method', 'GET / HTTP/1.1\r\nHost: evil\r\n\r\nGET')),
  request('a :path with a space', withPseudo(':path', '/a HTTP/1.1')),
  request('a :path with CR LF', withPseudo(':path', '/ HTTP/1.1\r\nX: y\r\n\r\nGET /smuggled')),
  request('a :path with LF alone', withPseudo(':path', '/a\nb')),
  request('a :path with NUL', withPseudo(':path', '/a\0b')),
  request('a :path with a fragment', withPseudo(':path', '/a#b')),
  request('a :path that is a URL', withPseudo(':path', 'http://evil.example/')),
  request('a :path that is an asterisk', withPseudo(':path', '*')),
  request('a :path beyond ASCII', withPseudo(':path', '/caf\xe9')),
  request('a :scheme that is not the connection’s', withPseudo(':scheme', 'http')),
  request('a :scheme with CR LF', withPseudo(':scheme', 'https\r\nX: y')),
  request('an :authority with user information', withPseudo(':authority', 'user@localhost')),
  request('an :authority with CR LF', withPseudo(':authority', 'localhost\r\nX: y')),
  request('an :authority with a path', withPseudo(':authority', 'localhost/evil')),
  request('an :authority with a port too large', withPseudo(':authority', 'localhost:99999')),
  request('two :path', [...getFields('/'), [':path', '/second']]),
  request('two :method', [...getFields('/'), [':method', 'POST']]),
  request('two :authority', [...getFields('/'), [':authority', 'evil.example']]),
  request('an unknown pseudo-header field', [...getFields('/'), [':status', '200']]),
  request('a pseudo-header field behind a field', [['x-first', '1'], ...getFields('/')]),
  request('a Host that differs from :authority', getFields('/', ['host', 'evil.example'])),
  request('two Host fields', getFields('/', ['host', 'localhost'], ['host', 'localhost'])),
  request('CONNECT', [
    [':method', 'CONNECT'],
    [':authority', 'localhost:443'],
  ]),
  ...extendedConnects,
  request('a field name in upper case', getFields('/', ['X-Upper', '1'])),
  request('a field name with a colon', getFields('/', ['x:y', '1'])),
  request('a field name with a space', getFields('/', ['x y', '1'])),
  request('a field name with CR LF', getFields('/', ['x\r\nhost', 'evil'])),
  request('an empty field name', getFields('/', ['', '1'])),
  request('a value with CR LF', getFields('/', ['x', 'a\r\nHost: evil'])),
  request('a value with CR alone', getFields('/', ['x', 'a\rb'])),
  request('a value with NUL', getFields('/', ['x', 'a\0b'])),
  request('a value that begins with a space', getFields('/', ['x', ' a'])),
  request('a value that ends with a tab', getFields('/', ['x', 'a\t'])),
  request('Transfer-Encoding', post(['transfer-encoding', 'chunked'])),
  request('Connection', getFields('/', ['connection', 'x-forwarded-for'])),
  request('Keep-Alive', getFields('/', ['keep-alive', 'timeout=5'])),
  request('Proxy-Connection', getFields('/', ['proxy-connection', 'keep-alive'])),
  request('Upgrade', getFields('/', ['upgrade', 'h2c'])),
  request('TE other than trailers', getFields('/', ['te', 'gzip'])),
  request('TE trailers', getFields('/', ['te', 'trailers']), { outcome: 'canonical', method: 'GET', target: '/' }),
  request('two Content-Length fields', post(['content-length', '0'], ['content-length', '5'])),
  request('a Content-Length that is no number', post(['content-length', '+5'])),
  request('a Content-Length where no body follows', post(['content-length', '5'])),
  request('cookies in crumbs', getFields('/', ['cookie', 'a=1'], ['cookie', 'b=2']), {
    outcome: 'canonical',
    method: 'GET',
    target: '/',
    fields: { cookie: 'a=1; b=2' },
  }),
  {
    name: 'more body than Content-Length says',
    frames: [headers(post(['content-length', '5']), Flag.endHeaders), data('hello, GET /smuggled')],
    expected: malformed,
  },
  {
    name: 'less body than Content-Length says',
    frames: [headers(post(['content-length', '50']), Flag.endHeaders), data('hello')],
    expected: malformed,
  },
  {
    name: 'just the body that Content-Length says',
    frames: [headers(post(['content-length', '5']), Flag.endHeaders), data('hel', 0), data('lo')],
    expected: { outcome: 'canonical', method: 'POST', target: '/p', body: 'hello' },
  },
  {
    name: 'a body without a length, with what looks like chunks in it',
    frames: [headers(post(), Flag.endHeaders), data('0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n')],
    expected: { outcome: 'canonical', method: 'POST', target: '/p', body: '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n' },
  },
  {
    name: 'trailers, which are dropped',
    frames: [headers(post(), Flag.endHeaders), data('hello', 0), headers([['x-trailer', '1']], whole)],
    expected: { outcome: 'canonical', method: 'POST', target: '/p', body: 'hello' },
  },
  {
    name: 'a large header list in several frames',
    frames: largeHead(3),
    expected: { outcome: 'canonical', method: 'GET', target: '/' },
  },
  { name: 'a header list larger than announced', frames: largeHead(6), expected: { outcome: 'refused', status: 431 } },
  { name: 'a header list larger than all bounds', frames: largeHead(20), expected: goaway(ErrorCode.enhanceYourCalm) },
];

/** Frames that break the rules of the connection (RFC 9113 sections 5 and 6). */
export const hostileFrames: readonly HostileHttp2[] = [
  { name: 'DATA on stream 0', frames: [data('x', 0, 0)], expected: protocolError },
  { name: 'DATA on a stream that was not opened', frames: [data('x', 0, 3)], expected: protocolError },
  { name: 'HEADERS on stream 0', frames: [headers(getFields('/'), whole, 0)], expected: protocolError },
  { name: 'HEADERS on an even stream', frames: [headers(getFields('/'), whole, 2)], expected: protocolError },
  { name: 'RST_STREAM on stream 0', frames: [numberFrame(FrameType.rstStream, 0, 8)], expected: protocolError },
  {
    name: 'RST_STREAM on a stream that was not opened',
    frames: [numberFrame(FrameType.rstStream, 7, 8)],
    expected: protocolError,
  },
  {
    name: 'RST_STREAM of a wrong size',
    frames: [frame(FrameType.rstStream, 0, 1, Buffer.alloc(3))],
    expected: goaway(ErrorCode.frameSizeError),
  },
  { name: 'PUSH_PROMISE', frames: [frame(FrameType.pushPromise, 4, 1, Buffer.alloc(8))], expected: protocolError },
  { name: 'SETTINGS on a stream', frames: [frame(FrameType.settings, 0, 1, nothing)], expected: protocolError },
  {
    name: 'SETTINGS of a wrong size',
    frames: [frame(FrameType.settings, 0, 0, Buffer.alloc(5))],
    expected: goaway(ErrorCode.frameSizeError),
  },
  {
    name: 'an acknowledgement of SETTINGS with settings',
    frames: [frame(FrameType.settings, Flag.ack, 0, Buffer.alloc(6))],
    expected: goaway(ErrorCode.frameSizeError),
  },
  {
    name: 'a window too large in SETTINGS',
    frames: [frame(FrameType.settings, 0, 0, Buffer.from('0004ffffffff', 'hex'))],
    expected: goaway(ErrorCode.flowControlError),
  },
  {
    name: 'a frame size too small in SETTINGS',
    frames: [frame(FrameType.settings, 0, 0, Buffer.from('000500000001', 'hex'))],
    expected: protocolError,
  },
  {
    name: 'ENABLE_PUSH that is neither 0 nor 1',
    frames: [frame(FrameType.settings, 0, 0, Buffer.from('000200000002', 'hex'))],
    expected: protocolError,
  },
  { name: 'PING on a stream', frames: [frame(FrameType.ping, 0, 1, Buffer.alloc(8))], expected: protocolError },
  {
    name: 'PING of a wrong size',
    frames: [frame(FrameType.ping, 0, 0, Buffer.alloc(7))],
    expected: goaway(ErrorCode.frameSizeError),
  },
  { name: 'GOAWAY on a stream', frames: [frame(FrameType.goaway, 0, 1, Buffer.alloc(8))], expected: protocolError },
  { name: 'WINDOW_UPDATE of nothing', frames: [numberFrame(FrameType.windowUpdate, 0, 0)], expected: protocolError },
  {
    name: 'WINDOW_UPDATE of a wrong size',
    frames: [frame(FrameType.windowUpdate, 0, 0, Buffer.alloc(3))],
    expected: goaway(ErrorCode.frameSizeError),
  },
  {
    name: 'a window beyond 2^31-1',
    frames: [numberFrame(FrameType.windowUpdate, 0, 0x7fffffff)],
    expected: goaway(ErrorCode.flowControlError),
  },
  {
    name: 'PRIORITY of a wrong size',
    frames: [frame(FrameType.priority, 0, 1, Buffer.alloc(4))],
    expected: goaway(ErrorCode.frameSizeError),
  },
  {
    name: 'CONTINUATION without HEADERS',
    frames: [frame(FrameType.continuation, 4, 1, nothing)],
    expected: protocolError,
  },
  {
    name: 'a frame within a header block',
    frames: [headers(getFields('/'), 0), frame(FrameType.ping, 0, 0, Buffer.alloc(8))],
    expected: protocolError,
  },
  {
    name: 'CONTINUATION of another stream',
    frames: [headers(getFields('/'), 0), frame(FrameType.continuation, 4, 3, nothing)],
    expected: protocolError,
  },
  {
    name: 'padding larger than the frame',
    frames: [frame(FrameType.headers, whole | Flag.padded, 1, Buffer.from([200, 0x82]))],
    expected: protocolError,
  },
  {
    name: 'a block that cannot be decoded',
    frames: [frame(FrameType.headers, whole, 1, Buffer.from('ffffffffffff', 'hex'))],
    expected: goaway(ErrorCode.compressionError),
  },
  {
    name: 'an index beyond the tables',
    frames: [frame(FrameType.headers, whole, 1, Buffer.from('be', 'hex'))],
    expected: goaway(ErrorCode.compressionError),
  },
  {
    name: 'a frame larger than announced',
    frames: [frame(FrameType.data, 0, 1, Buffer.alloc(20_000))],
    expected: goaway(ErrorCode.frameSizeError),
  },
  {
    name: 'a stream opened after a higher one',
    frames: [headers(getFields('/a'), whole, 5), headers(getFields('/b'), whole, 1)],
    expected: { outcome: 'reset', code: ErrorCode.streamClosed },
  },
  {
    name: 'more body than the window has room for',
    frames: [
      headers(
        post().map(([name, value]) => [name, value === '/p' ? '/held' : value] as const),
        Flag.endHeaders,
      ),
      ...Array.from({ length: 17 }, () => frame(FrameType.data, 0, 1, Buffer.alloc(16_384))),
    ],
    expected: { outcome: 'reset', code: ErrorCode.flowControlError },
  },
  {
    name: 'a window of a stream beyond 2^31-1',
    frames: [headers(post(), Flag.endHeaders), numberFrame(FrameType.windowUpdate, 1, 0x7fffffff)],
    expected: { outcome: 'reset', code: ErrorCode.flowControlError },
  },
  {
    name: 'WINDOW_UPDATE of nothing on a stream',
    frames: [headers(post(), Flag.endHeaders), numberFrame(FrameType.windowUpdate, 1, 0)],
    expected: { outcome: 'reset', code: ErrorCode.protocolError },
  },
  {
    name: 'trailers that do not end the stream',
    frames: [headers(post(), Flag.endHeaders), headers([['x', 'y']], Flag.endHeaders)],
    expected: { outcome: 'reset', code: ErrorCode.protocolError },
  },
  {
    name: 'an unknown frame',
    frames: [frame(0x63, 0, 0, Buffer.from('anything')), headers(getFields('/'))],
    expected: { outcome: 'canonical', method: 'GET', target: '/' },
  },
  {
    name: 'padding',
    frames: [
      frame(
        FrameType.headers,
        whole | Flag.padded,
        1,
        Buffer.concat([Buffer.from([3]), headerBlock(getFields('/')), Buffer.alloc(3)]),
      ),
    ],
    expected: { outcome: 'canonical', method: 'GET', target: '/' },
  },
  {
    name: 'a priority in HEADERS',
    frames: [
      frame(FrameType.headers, whole | Flag.priority, 1, Buffer.concat([Buffer.alloc(5), headerBlock(getFields('/'))])),
    ],
    expected: { outcome: 'canonical', method: 'GET', target: '/' },
  },
];
