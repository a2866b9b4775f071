import fc from 'fast-check';

/** What a client sends on one connection. */
export interface FuzzedConnection {
  /** Latin-1: one character a byte. */
  readonly text: string;
  /** Where it is cut into writes, as parts of its length. */
  readonly cuts: readonly number[];
}

type Text = fc.Arbitrary<string>;

const text = (...choices: readonly string[]): Text => fc.constantFrom(...choices);
/** The usual one most of the time, so that whole requests come of it. */
const mostly = (usual: Text, strange: Text, weight = 30): Text =>
  fc.oneof({ arbitrary: usual, weight }, { arbitrary: strange, weight: 1 });
const joined = (...parts: readonly Text[]): Text => fc.tuple(...parts).map((all) => all.join(''));

const byte: Text = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const awkward: Text = fc.oneof(
  text(
    ' ',
    '\t',
    '\r',
    '\n',
    '\r\n',
    '\0',
    ':',
    ',',
    ';',
    '"',
    '\\',
    '#',
    '%',
    '/',
    '\x7f',
    '\x80',
    '\xa0',
    '\xff',
    '\x0b',
    '\x85',
  ),
  byte,
);
const word: Text = fc.string({ unit: fc.constantFrom(...'abcXYZ019-.'), minLength: 1, maxLength: 6 });

const method = mostly(
  text('GET', 'GET', 'POST', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'get', 'M-SEARCH', 'TRACE'),
  text('CONNECT', 'G@T', '', 'GE T', 'PRI', ' GET', 'GET\t', 'G\xc9T'),
);
const segment = mostly(
  fc.oneof(word, text('%41', '%c3%a9', '~', '.', '..', '', 'a;b=c', "it's", '%2e', '%2E%2e', '@', '[x]', '|', '{}')),
  text('%', '%2', '%zz', '%2f', '%5C', '\\', '%00', '%7f', '\xe9', '%0d%0a', ' ', '#f', '\x01', '<>'),
);
const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const query = fc.oneof(
  { arbitrary: fc.constant(''), weight: 2 },
  { arbitrary: text('?', '?a=b', '?%', '?a=%0d&b', '??'), weight: 1 },
);
const target = mostly(
  joined(path, query),
  text(
    '*',
    'http://fuzz.test/abs?x',
    'http://fuzz.test',
    'http://other.test?q',
    'HTTPS://h:1/',
    'http://',
    'http://u@h/',
    'ftp://h/',
    'fuzz.test:80',
    '//x',
    '',
    '/a b',
    '/#',
    'http://fuzz.test#f',
  ),
  15,
);
const version = mostly(
  text('HTTP/1.1'),
  text('HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/01.1', 'HTTP/1.10', '', 'HTTP/0.9'),
  15,
);
const space = mostly(text(' '), text('  ', '\t', '', ' \t'), 60);
const lineEnd = mostly(text('\r\n'), text('\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\r\n ', '\0\r\n'), 120);

const fieldName = mostly(
  text(
    'X-One',
    'x-two',
    'Accept',
    'User-Agent',
    'Cookie',
    'Range',
    'Via',
    'X-Forwarded-For',
    'X-Real-IP',
    'TE',
    'Trailer',
    'Keep-Alive',
    'Forwarded',
    'Origin',
  ),
  text(
    'X_Under',
    'Content_Length',
    'Transfer-Encoding ',
    ' X',
    'X\t',
    '',
    'X\xe9',
    'X Y',
    'X"',
    'Proxy',
    'X-Scheme',
    'Content-Length\0',
    'Host\x0b',
    '\x00',
  ),
  20,
);
const fieldValue = mostly(
  fc.oneof(word, text('', 'a b', 'a,b', 'a\tb', '"q"', 'close', 'v=1; w=2', '127.0.0.1', 'trailers')),
  text(
    'caf\xe9',
    '\xe9t\xe9',
    '\x80',
    'a\rb',
    'a\nb',
    'a\0b',
    '\x7f',
    'a\r\n b',
    '\x0b',
    'x\x85',
    'a\x01',
    '\r\nX-Two: folded',
  ),
  20,
);
const blank = fc.oneof(
  { arbitrary: fc.constant(' '), weight: 6 },
  { arbitrary: text('', '\t', '  ', ' \t '), weight: 1 },
);
const plainField = joined(fieldName, text(':'), blank, fieldValue, mostly(text(''), text(' ', '\t')), lineEnd);
const named = (name: Text, value: Text): Text =>
  joined(name, text(':'), blank, value, mostly(text(''), text(' ', '\t')), lineEnd);
const connection = named(
  text('Connection'),
  text(
    'keep-alive',
    'close',
    'x-one',
    'close, x-two',
    'Keep-Alive, X-One',
    'upgrade',
    ',',
    'CLOSE',
    '"close"',
    'content-length',
    'host, x-real-ip',
  ),
);
const oddField = fc.oneof(
  { arbitrary: plainField, weight: 8 },
  { arbitrary: connection, weight: 2 },
  {
    arbitrary: named(
      text('Expect'),
      mostly(text('100-continue', '100-Continue'), text('200-ok', '', '100-continue, x'), 4),
    ),
    weight: 1,
  },
  { arbitrary: named(text('Upgrade'), mostly(text('h2c', 'a/1, b'), text('', ',', 'a b', 'a/'), 4)), weight: 1 },
);
const host = fc.oneof(
  {
    arbitrary: named(
      mostly(text('Host', 'host', 'HOST'), text('Host ', 'Hos\xe9'), 80),
      mostly(
        text('fuzz.test', 'Fuzz.Test:8080', '[::1]:80', '10.0.0.1'),
        text('', 'a b', 'u@h', 'h/x', 'h:99999', 'h:', '[::1', 'h,i', '\xe9', '%41', '\x80fuzz.test'),
      ),
    ),
    weight: 60,
  },
  {
    arbitrary: text('', 'Host: fuzz.test\r\nHost: fuzz.test\r\n', 'Host: fuzz.test\r\nhost: other.test\r\n'),
    weight: 1,
  },
);

const content: Text = fc.oneof(
  fc.string({ unit: byte, maxLength: 40 }),
  text('hello', '0\r\n\r\n', 'GET /smuggled HTTP/1.1\r\nHost: evil.test\r\n\r\n', '\r\n', 'a=1&b=2'),
);

interface Body {
  readonly fields: string;
  readonly bytes: string;
}

const noBody: fc.Arbitrary<Body> = fc.constant({ fields: '', bytes: '' });
const lengthBody: fc.Arbitrary<Body> = fc
  .tuple(
    content,
    mostly(text(''), text('+', '0', '00', '-', ' ', '0x', '\x80', '1')),
    mostly(text(''), text(' ', ',5', '.0', 'e0', '\xff', '\t', ' 1', '0')),
    mostly(text('Content-Length', 'content-length'), text('Content-Length ', 'Content_Length', 'Content-Length\t'), 40),
    lineEnd,
  )
  .map(([bytes, before, behind, name, end]) => ({ fields: `${name}: ${before}${bytes.length}${behind}${end}`, bytes }));
const chunk = fc
  .tuple(
    content,
    mostly(text(''), text('0', '00', ' ', '+', '0x', '-', '\t', '000000000000000')),
    mostly(
      text(''),
      text(';a', ';a=b', ';a="q\\"x"', ';', ' ', ' ;a', ';a=', ';a b', '\t', ';\xe9', ';a="\n"', ';a=";"'),
      12,
    ),
    mostly(text('\r\n'), text('\n', '\r', '\r\r\n', ''), 40),
    mostly(text('\r\n'), text('\n', 'XX', '', '\r', '\n\r'), 40),
  )
  .map(([bytes, before, extension, end, behind]) =>
    bytes === '' ? '' : `${before}${bytes.length.toString(16)}${extension}${end}${bytes}${behind}`,
  );
const chunkedBody: fc.Arbitrary<Body> = fc
  .tuple(
    fc.array(chunk, { maxLength: 3 }),
    mostly(
      text('0\r\n\r\n', '000\r\n\r\n'),
      text(
        '0\r\n',
        '0;a=b\r\n\r\n',
        '0\r\nX-Trailer: 1\r\n\r\n',
        '0\r\nX:GET /smuggled HTTP/1.1\r\nHost: evil.test\r\n\r\n',
        '0\r\n \r\n\r\n',
        '0\n\n',
        '0\r\nbroken\r\n\r\n',
        '\r\n\r\n',
        '0 \r\n\r\n',
        '',
        '0\r\nContent-Length: 3\r\n\r\nabc',
      ),
      6,
    ),
    mostly(
      text('chunked', 'Chunked'),
      text(
        'identity',
        'gzip, chunked',
        'chunked, chunked',
        '\x0bchunked',
        'chunked;q=1',
        '"chunked"',
        '',
        'chunked,',
        'xchunked',
        'chunked\x85',
      ),
    ),
    lineEnd,
  )
  .map(([chunks, last, coding, end]) => ({
    fields: `Transfer-Encoding: ${coding}${end}`,
    bytes: chunks.join('') + last,
  }));
const doubleBody: fc.Arbitrary<Body> = fc
  .tuple(lengthBody, fc.oneof(lengthBody, chunkedBody), fc.boolean())
  .map(([one, two, first]) => ({ fields: one.fields + two.fields, bytes: first ? one.bytes : two.bytes }));
const body: fc.Arbitrary<Body> = fc.oneof(
  { arbitrary: noBody, weight: 8 },
  { arbitrary: lengthBody, weight: 8 },
  { arbitrary: chunkedBody, weight: 8 },
  { arbitrary: doubleBody, weight: 1 },
);

const request: Text = fc
  .tuple(
    joined(method, space, target, space, version, lineEnd),
    host,
    fc.array(oddField, { maxLength: 4 }),
    body,
    fc.nat(),
    lineEnd,
  )
  .map(([line, hostLine, fields, { fields: framing, bytes }, place, end]) => {
    const lines = [...fields];
    lines.splice(place % (lines.length + 1), 0, framing);
    lines.splice((place >> 3) % (lines.length + 1), 0, hostLine);
    return line + lines.join('') + end + bytes;
  });

/** Changes a text at a place of it. */
type Mutation = (text: string, at: number) => string;
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constant<Mutation>((all, at) => all.slice(0, at) + all.slice(at + 1)),
  awkward.map<Mutation>((piece) => (all, at) => all.slice(0, at) + piece + all.slice(at)),
  awkward.map<Mutation>((piece) => (all, at) => all.slice(0, at) + piece + all.slice(at + piece.length)),
  fc.integer({ min: 0, max: 7 }).map<Mutation>((bit) => (all, at) => {
    return all.slice(0, at) + String.fromCharCode(all.charCodeAt(at) ^ (1 << bit)) + all.slice(at + 1);
  }),
  // A line twice, or away.
  fc.boolean().map<Mutation>((twice) => (all, at) => {
    const start = all.lastIndexOf('\r\n', at) + 2;
    const end = all.indexOf('\r\n', at) + 2;
    if (start < 2 || end < start) return all;
    const line = all.slice(start, end);
    return all.slice(0, start) + (twice ? line + line : '') + all.slice(end);
  }),
  fc.integer({ min: 1, max: 12 }).map<Mutation>((count) => (all, at) => all.slice(0, at) + all.slice(at + count)),
  fc.constant<Mutation>((all, at) => all.slice(0, at)),
);

/** Whole requests, nearly whole ones, and what is hardly one any more. */
export const fuzzedConnection: fc.Arbitrary<FuzzedConnection> = fc
  .tuple(
    mostly(text(''), text('\r\n', '\r\n\r\n', '\n', ' '), 80),
    request,
    mostly(text(''), request, 12),
    fc.oneof(
      { arbitrary: fc.constant([]), weight: 3 },
      { arbitrary: fc.array(fc.tuple(mutation, fc.nat()), { minLength: 1, maxLength: 3 }), weight: 2 },
    ),
    fc.array(
      fc.integer({ min: 1, max: 999 }).map((part) => part / 1000),
      { maxLength: 3 },
    ),
  )
  .map(([front, first, second, mutations, cuts]) => {
    let all = front + first + second;
    for (const [mutate, place] of mutations) if (all.length > 0) all = mutate(all, place % all.length);
    return { text: all, cuts: [...cuts].sort((a, b) => a - b) };
  })
  // The handshake of a WebSocket is another protocol, with tests of its own.
  .filter(({ text: all }) => all.length > 0 && !/websocket/i.test(all));
