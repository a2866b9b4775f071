import { canonical, type HostileRequest, head, refused } from './hostile-request.ts';

type Fields = Readonly<Record<string, string | undefined>>;

function forged(name: string, sent: readonly string[], seen: Fields): HostileRequest {
  return { name, bytes: head('GET /f HTTP/1.1', 'Host: h', ...sent), expected: canonical('GET', '/f', '', seen) };
}

/** Well-formed requests that lie about the client or ask for what ends at the front server. Judged by what the application is told. */
export const forgedRequests: readonly HostileRequest[] = [
  forged('a forged X-Forwarded-For', ['X-Forwarded-For: 10.0.0.1'], { 'x-forwarded-for': '127.0.0.1' }),
  forged('two forged X-Forwarded-For', ['X-Forwarded-For: 10.0.0.1', 'x-forwarded-for: 10.0.0.2'], {
    'x-forwarded-for': '127.0.0.1',
  }),
  forged('a forged X-Forwarded-Proto', ['X-Forwarded-Proto: https'], { 'x-forwarded-proto': 'http' }),
  forged('a forged X-Forwarded-Host', ['X-Forwarded-Host: evil.example'], { 'x-forwarded-host': 'h' }),
  forged('a forged X-Real-IP', ['X-Real-IP: 10.0.0.1'], { 'x-real-ip': '127.0.0.1' }),
  forged('a forged Forwarded', ['Forwarded: for=10.0.0.1;proto=https'], { forwarded: undefined }),
  forged('X-Forwarded-Ssl', ['X-Forwarded-Ssl: on'], { 'x-forwarded-ssl': undefined }),
  forged('X-Forwarded-Protocol', ['X-Forwarded-Protocol: ssl'], { 'x-forwarded-protocol': undefined }),
  forged('X_Forwarded_For', ['X_Forwarded_For: 10.0.0.1'], { x_forwarded_for: undefined }),
  forged('SCRIPT_NAME', ['SCRIPT_NAME: /admin'], { script_name: undefined }),
  forged('PATH_INFO', ['PATH_INFO: /admin'], { path_info: undefined }),
  forged('a Connection field that names a forwarded one', ['Connection: x-forwarded-for, close'], {
    'x-forwarded-for': '127.0.0.1',
  }),
  forged('a Connection field that names Cookie', ['Connection: cookie', 'Cookie: a=b'], { cookie: undefined }),
  forged('a second Connection field that names another', ['Connection: keep-alive', 'Connection: X-One', 'X-One: 1'], {
    'x-one': undefined,
  }),
  forged('a Connection field that names Host', ['Connection: host'], { host: 'h' }),
  forged('TE and Trailer', ['TE: trailers', 'Trailer: Expires'], { te: undefined, trailer: undefined }),
  forged(
    'an upgrade to cleartext HTTP/2',
    ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AA'],
    {
      upgrade: undefined,
      'http2-settings': undefined,
    },
  ),
  forged(
    'Proxy-Connection and Proxy-Authorization',
    ['Proxy-Connection: keep-alive', 'Proxy-Authorization: Basic eA=='],
    {
      'proxy-connection': undefined,
      'proxy-authorization': undefined,
    },
  ),
  forged('a Proxy field, which CGI programs take for HTTP_PROXY', ['Proxy: http://evil.example'], { proxy: undefined }),
  forged('a forged X-Request-Id that is not one', ['X-Request-Id: a b<c>'], {}),
  {
    name: 'dot segments in its path',
    bytes: head('GET /a/../b HTTP/1.1', 'Host: h'),
    expected: canonical('GET', '/a/../b'),
  },
  {
    name: 'an encoded slash',
    bytes: head('GET /a%2fb HTTP/1.1', 'Host: h', 'Connection: close'),
    expected: refused(400),
  },
  {
    name: 'an encoded NUL',
    bytes: head('GET /a%00b HTTP/1.1', 'Host: h', 'Connection: close'),
    expected: refused(400),
  },
  {
    name: 'dot segments above the root',
    bytes: head('GET /../a HTTP/1.1', 'Host: h', 'Connection: close'),
    expected: refused(400),
  },
  {
    name: 'a backslash',
    bytes: head('GET /a\\..\\b HTTP/1.1', 'Host: h', 'Connection: close'),
    expected: refused(400),
  },
];
