import { canonical, type HostileRequest, head, refused, smuggled, unserved } from './hostile-request.ts';

function post(
  name: string,
  fields: readonly string[],
  body: string,
  expected: HostileRequest['expected'],
): HostileRequest {
  return { name, bytes: head('POST /p HTTP/1.1', 'Host: h', ...fields) + body, expected };
}

const malformed = refused(400);
const chunked = '5\r\nhello\r\n0\r\n\r\n';

/** Requests that two parsers could end at different places (RFC 9112 sections 6 and 11.2). */
export const framingRequests: readonly HostileRequest[] = [
  post('two Content-Length fields', ['Content-Length: 5', 'Content-Length: 6'], 'hello!', malformed),
  post('two equal Content-Length fields', ['Content-Length: 5', 'Content-Length: 5'], 'hello', malformed),
  post('an empty Content-Length', ['Content-Length: '], '', malformed),
  post('an empty Content-Length before another', ['Content-Length:', 'Content-Length: 5'], 'hello', malformed),
  post('an empty Content-Length behind another', ['Content-Length: 5', 'Content-Length:'], 'hello', malformed),
  post('a Content-Length with a plus', ['Content-Length: +5'], 'hello', malformed),
  post('a negative Content-Length', ['Content-Length: -5'], 'hello', malformed),
  post('a Content-Length list', ['Content-Length: 5, 5'], 'hello', malformed),
  post('a hexadecimal Content-Length', ['Content-Length: 0x5'], 'hello', malformed),
  post('a Content-Length with a fraction', ['Content-Length: 5.0'], 'hello', malformed),
  post('a Content-Length with an exponent', ['Content-Length: 5e0'], 'hello', malformed),
  post('a Content-Length with a space in it', ['Content-Length: 1 5'], 'hello', malformed),
  post('a Content-Length beyond 64 bits', ['Content-Length: 18446744073709551621'], 'hello', malformed),
  post('a Content-Length of letters', ['Content-Length: five'], 'hello', malformed),
  post('Content-Length and Transfer-Encoding', ['Content-Length: 5', 'Transfer-Encoding: chunked'], chunked, malformed),
  post('Transfer-Encoding and Content-Length', ['Transfer-Encoding: chunked', 'Content-Length: 5'], chunked, malformed),
  post(
    'Transfer-Encoding and an empty Content-Length',
    ['Transfer-Encoding: chunked', 'Content-Length:'],
    chunked,
    malformed,
  ),
  post(
    'an empty Transfer-Encoding and Content-Length',
    ['Transfer-Encoding:', 'Content-Length: 5'],
    'hello',
    malformed,
  ),
  post('an empty Transfer-Encoding', ['Transfer-Encoding:'], '', malformed),
  post(
    'two Transfer-Encoding fields',
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    chunked,
    malformed,
  ),
  post(
    'identity and chunked in two fields',
    ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'],
    chunked,
    malformed,
  ),
  post('Transfer-Encoding identity', ['Transfer-Encoding: identity'], chunked, malformed),
  post('Transfer-Encoding gzip, chunked', ['Transfer-Encoding: gzip, chunked'], chunked, malformed),
  post('Transfer-Encoding chunked, identity', ['Transfer-Encoding: chunked, identity'], chunked, malformed),
  post('Transfer-Encoding chunked twice in a list', ['Transfer-Encoding: chunked, chunked'], chunked, malformed),
  post('Transfer-Encoding xchunked', ['Transfer-Encoding: xchunked'], chunked, malformed),
  post('Transfer-Encoding chunked in quotes', ['Transfer-Encoding: "chunked"'], chunked, malformed),
  post('Transfer-Encoding chunked with a parameter', ['Transfer-Encoding: chunked;a=b'], chunked, malformed),
  post('Transfer-Encoding with a vertical tab', ['Transfer-Encoding: \x0bchunked'], chunked, malformed),
  post('a space before the colon of Transfer-Encoding', ['Transfer-Encoding : chunked'], chunked, malformed),
  post('a tab before the colon of Content-Length', ['Content-Length\t: 5'], 'hello', malformed),
  post('Transfer-Encoding folded over two lines', ['Transfer-Encoding:', ' chunked'], chunked, malformed),
  post('Transfer-Encoding CHUNKED', ['Transfer-Encoding: CHUNKED'], chunked, canonical('POST', '/p', 'hello')),
  post('spaces around a Content-Length', ['Content-Length:  \t5 \t'], 'hello', canonical('POST', '/p', 'hello')),
  post('leading zeros in Content-Length', ['Content-Length: 005'], 'hello', canonical('POST', '/p', 'hello')),
  post('Transfer_Encoding, which is another field', ['Transfer_Encoding: chunked'], '', canonical('POST', '/p')),
  post(
    'a request smuggled behind two lengths',
    ['Content-Length: 0', `Content-Length: ${smuggled.length}`],
    smuggled,
    unserved,
  ),
  post(
    'a request smuggled behind a length and chunks',
    [`Content-Length: ${smuggled.length + 5}`, 'Transfer-Encoding: chunked'],
    `0\r\n\r\n${smuggled}`,
    malformed,
  ),
  post(
    'a request smuggled behind another coding',
    ['Transfer-Encoding: identity, chunked'],
    `0\r\n\r\n${smuggled}`,
    unserved,
  ),
  {
    name: 'GET and two lengths',
    bytes: head('GET /g HTTP/1.1', 'Host: h', 'Content-Length: 1', 'Content-Length: 2') + 'ab',
    expected: malformed,
  },
  {
    name: 'GET with a body',
    bytes: `${head('GET /g HTTP/1.1', 'Host: h', 'Content-Length: 5')}hello`,
    expected: canonical('GET', '/g', 'hello'),
  },
  {
    name: 'a chunk size that is not hexadecimal',
    bytes: `${head('POST /p HTTP/1.1', 'Host: h', 'Transfer-Encoding: chunked')}zz\r\nhello\r\n0\r\n\r\n`,
    expected: refused(400),
  },
  {
    name: 'a chunk size beyond 64 bits',
    bytes: `${head('POST /p HTTP/1.1', 'Host: h', 'Transfer-Encoding: chunked')}fffffffffffffffffff\r\nhello\r\n0\r\n\r\n`,
    expected: refused(400),
  },
  {
    name: 'a negative chunk size',
    bytes: `${head('POST /p HTTP/1.1', 'Host: h', 'Transfer-Encoding: chunked')}-5\r\nhello\r\n0\r\n\r\n`,
    expected: refused(400),
  },
];
