import { canonical, type HostileRequest, head, refused, smuggled, unserved } from './hostile-request.ts';

function line(name: string, requestLine: string, expected: HostileRequest['expected']): HostileRequest {
  return { name, bytes: head(requestLine, 'Host: h'), expected };
}

function field(name: string, lines: readonly string[], expected: HostileRequest['expected']): HostileRequest {
  return { name, bytes: head('GET /f HTTP/1.1', ...lines), expected };
}

const malformed = refused(400);
const notSupported = refused(505);

/** Request lines that are wrong, or that this engine does not take. */
export const requestLineRequests: readonly HostileRequest[] = [
  line('a method that is no token', 'G@T(/ / HTTP/1.1', malformed),
  line('no method', ' / HTTP/1.1', malformed),
  line('a method with a colon', 'GET: / HTTP/1.1', malformed),
  line('a method with a NUL', 'GE\0T / HTTP/1.1', notSupported),
  line('a method beyond ASCII', 'G\xc9T / HTTP/1.1', notSupported),
  line('HTTP/1.0', 'GET / HTTP/1.0', notSupported),
  line('HTTP/0.9', 'GET /', unserved),
  line('HTTP/2.0', 'GET / HTTP/2.0', notSupported),
  line('HTTP/1.10', 'GET / HTTP/1.10', notSupported),
  line('another protocol', 'GET / ICY/1.1', notSupported),
  line('a protocol in lower case', 'GET / http/1.1', notSupported),
  line('two spaces before the target', 'GET  / HTTP/1.1', notSupported),
  line('two spaces behind the target', 'GET /  HTTP/1.1', notSupported),
  line('a space in the target', 'GET /a b HTTP/1.1', notSupported),
  line('a tab for a space', 'GET\t/\tHTTP/1.1', notSupported),
  line('an absolute target', 'GET http://h/ HTTP/1.1', notSupported),
  line('an asterisk for a target', 'OPTIONS * HTTP/1.1', notSupported),
  line('a host and port for a target', 'CONNECT h:443 HTTP/1.1', notSupported),
  line('a target without a slash', 'GET a HTTP/1.1', notSupported),
  line('a fragment in the target', 'GET /a#b HTTP/1.1', malformed),
  line('UTF-8 in the target', 'GET /caf\xc3\xa9 HTTP/1.1', malformed),
  line('Latin-1 in the target', 'GET /caf\xe9 HTTP/1.1', malformed),
  line('Latin-1 in the query', 'GET /?caf\xe9 HTTP/1.1', malformed),
  line('a control character in the target', 'GET /\x01 HTTP/1.1', notSupported),
  line('a NUL in the target', 'GET /\0 HTTP/1.1', notSupported),
  line('a DEL in the target', 'GET /\x7f HTTP/1.1', malformed),
  {
    ...line('dot segments in the target', 'GET /a/../../b HTTP/1.1', canonical('GET', '/a/../../b')),
    throughProxy: unserved,
  },
  line('two slashes in front, which are no host', 'GET //evil.example/ HTTP/1.1', canonical('GET', '//evil.example/')),
  { name: 'lines that end with LF alone', bytes: 'GET / HTTP/1.1\nHost: h\n\n', expected: notSupported },
  { name: 'an empty line in front', bytes: `\r\n${head('GET / HTTP/1.1', 'Host: h')}`, expected: unserved },
  {
    name: 'TLS instead of HTTP',
    bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 / HTTP/1.1\r\n\r\n',
    expected: notSupported,
  },
  { name: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', expected: notSupported },
  {
    name: 'a target of 40,000 bytes',
    bytes: head(`GET /${'a'.repeat(40_000)} HTTP/1.1`, 'Host: h'),
    expected: refused(431),
  },
];

/** Fields that are wrong, and a Host that is not one. */
export const fieldRequests: readonly HostileRequest[] = [
  field('no Host', ['X: y'], malformed),
  field('an empty Host', ['Host:'], malformed),
  field('two Host fields', ['Host: a', 'Host: b'], malformed),
  field('two equal Host fields', ['Host: a', 'Host: a'], malformed),
  field('a Host with user information', ['Host: user@h'], malformed),
  field('a Host with a path', ['Host: h/evil'], malformed),
  field('a Host with a query', ['Host: h?evil'], malformed),
  field('a Host with a fragment', ['Host: h#evil'], malformed),
  field('a Host with a space', ['Host: h evil'], malformed),
  field('a Host list', ['Host: h, evil'], malformed),
  field('a Host with an escape', ['Host: h%2eevil'], malformed),
  field('a Host beyond ASCII', ['Host: h\xe9h'], malformed),
  field('a Host with a port that is none', ['Host: h:80a'], malformed),
  field('a Host with a port beyond 65535', ['Host: h:65536'], malformed),
  field('a Host with a negative port', ['Host: h:-1'], malformed),
  field('a Host that is half an IPv6 address', ['Host: [::1'], malformed),
  field('a Host with a backslash', ['Host: h\\evil'], malformed),
  field('a Host folded over two lines', ['Host: h', ' evil'], malformed),
  field('a field folded over two lines', ['Host: h', 'X: a', '\tb'], malformed),
  field('a first field that begins with a space', [' X: a', 'Host: h'], malformed),
  field('a space before a colon', ['Host: h', 'X : y'], malformed),
  field('a field name with a parenthesis', ['Host: h', 'X(: y'], malformed),
  field('a field name beyond ASCII', ['Host: h', 'X\xe9: y'], malformed),
  field('a NUL in a field value', ['Host: h', 'X: a\0b'], malformed),
  field('a control character in a field value', ['Host: h', 'X: a\x01b'], malformed),
  field('a DEL in a field value', ['Host: h', 'X: a\x7fb'], malformed),
  field('a DEL for a field value', ['Host: h', 'X: \x7f'], malformed),
  field('a bare CR in a field value', ['Host: h', 'X: a\rY: b'], unserved),
  field('a line without a colon', ['Host: h', 'garbage'], malformed),
  field('two fields of one name beyond ASCII', ['Host: h', 'X: \xe9a', 'X: a\xe9b'], malformed),
  field('an unknown expectation', ['Host: h', 'Expect: 200-ok'], refused(417)),
  field('an Upgrade to nothing', ['Host: h', 'Connection: upgrade', 'Upgrade: '], malformed),
  field('an Upgrade to what is no protocol', ['Host: h', 'Connection: upgrade', 'Upgrade: web socket'], malformed),
  field('150 fields', ['Host: h', ...Array.from({ length: 150 }, (_, i) => `X-${i}: y`)], refused(431)),
  field('a field of 40,000 bytes', ['Host: h', `X: ${'x'.repeat(40_000)}`], refused(431)),
  field('a field of an empty value', ['Host: h', 'X:'], canonical('GET', '/f', '', { x: '' })),
  field(
    'a value that looks like a line',
    ['Host: h', 'X: a\\r\\nY: b'],
    canonical('GET', '/f', '', { x: 'a\\r\\nY: b', y: undefined }),
  ),
  {
    ...field('underscores in a field name', ['Host: h', 'X_Y: z'], canonical('GET', '/f', '', { x_y: 'z' })),
    throughProxy: canonical('GET', '/f', '', { x_y: undefined }),
  },
  field('a Connection that names Host', ['Host: h', 'Connection: host'], canonical('GET', '/f', '', { host: 'h' })),
  {
    name: 'a refused request in front of another',
    bytes: head('GET /f HTTP/1.1', 'Host: a@b') + smuggled,
    expected: unserved,
  },
  {
    name: 'another line behind its end',
    bytes: `${head('GET /f HTTP/1.1', 'Host: h')}garbage`,
    expected: canonical('GET', '/f'),
  },
];
