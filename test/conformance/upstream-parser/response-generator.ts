import fc from 'fast-check';

/** Lines that a response may hold: sound ones mostly, and each kind of mistake. */
const fieldLine = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('Server: x', 'Date: y', 'X-A: b', 'x-e: \xe9', 'X-Empty:', 'Set-Cookie: a=1; b'),
  },
  { weight: 3, arbitrary: fc.constantFrom('Content-Length: 5', 'Content-Length: 0', 'content-length:  11 ') },
  { weight: 3, arbitrary: fc.constantFrom('Transfer-Encoding: chunked', 'transfer-encoding: CHUNKED') },
  { weight: 2, arbitrary: fc.constantFrom('Connection: close', 'Connection: keep-alive', 'Connection: X-A') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'Content-Length: +5',
      'Content-Length: 5, 5',
      'Content-Length: ',
      'Content-Length : 5',
      'Transfer-Encoding: gzip, chunked',
      'Transfer-Encoding: identity',
      'Transfer-Encoding: chunked, identity',
      ' folded',
      'no colon',
      ': no name',
      'A(b: c',
      'X: a\rb',
      'X: a\0b',
      'X\xe9: b',
    ),
  },
);

const statusLine = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom('HTTP/1.1 200 OK', 'HTTP/1.1 404 Not Found', 'HTTP/1.1 200 ', 'HTTP/1.0 200 OK'),
  },
  { weight: 3, arbitrary: fc.constantFrom('HTTP/1.1 204 No Content', 'HTTP/1.1 304 Not Modified', 'HTTP/1.1 200') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('HTTP/1.2 200 OK', 'HTTP/1.1 20 OK', 'HTTP/1.1 200OK', 'HTTP/2.0 200 OK', 'X'),
  },
);

const chunk = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom('5\r\nhello\r\n', '1\r\nx\r\n', '00a;x=y\r\n0123456789\r\n', '3;q="a b"\r\nabc\r\n'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '5 \r\nhello\r\n',
      '5\nhello\r\n',
      '5\r\nhell\r\n',
      '0x5\r\nhello\r\n',
      'g\r\n',
      '5\r\nhello\n',
    ),
  },
);
const chunkedBody = fc
  .tuple(
    fc.array(chunk, { maxLength: 4 }),
    fc.constantFrom('0\r\n\r\n', '0\r\nA: b\r\n\r\n', '0\r\nbad\r\n\r\n', '', '0\r\n'),
  )
  .map(([chunks, end]) => chunks.join('') + end);
const body = fc.oneof(fc.constantFrom('', 'hello', 'hello world', 'hell'), chunkedBody);
const interim = fc.constantFrom(
  '',
  '',
  '',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n',
);
const lineEnd = fc.oneof({ weight: 30, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r', '\r\r\n'));

/** A response put together from such lines. */
const composed = fc
  .tuple(interim, statusLine, fc.array(fc.tuple(fieldLine, lineEnd), { maxLength: 5 }), lineEnd, body)
  .map(([before, status, fields, end, content]) => {
    const lines = fields.map(([line, ending]) => line + ending).join('');
    return `${before}${status}\r\n${lines}${end}${content}`;
  });

/** One whose framing fits its body. */
const sound = fc.oneof(
  chunkedBody.map((content) => `HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n${content}`),
  fc
    .constantFrom('', 'hello', 'a longer body\r\n\r\nwith lines')
    .map((content) => `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\nX-A: b\r\n\r\n${content}`),
);

/** A sound response with a few of its bytes replaced, taken out or doubled. */
const mutated = fc
  .tuple(sound, fc.array(fc.tuple(fc.nat(200), fc.nat(255), fc.nat(2)), { minLength: 1, maxLength: 2 }))
  .map(([text, changes]) => {
    let result = text;
    for (const [at, byte, kind] of changes) {
      const position = at % result.length;
      const inserted = kind === 1 ? '' : String.fromCharCode(byte);
      result = result.slice(0, position) + inserted + result.slice(kind === 2 ? position : position + 1);
    }
    return result;
  });

/** Responses, sound and broken in every way, as bytes. */
export const responseBytes: fc.Arbitrary<Buffer> = fc
  .oneof(composed, sound, mutated)
  .map((text) => Buffer.from(text, 'latin1'));

/** Bytes cut into pieces at random places. */
export function inPieces(bytes: Buffer): fc.Arbitrary<Buffer[]> {
  return fc.array(fc.nat(bytes.length), { maxLength: 12 }).map((cuts) => {
    const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
    return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
  });
}
