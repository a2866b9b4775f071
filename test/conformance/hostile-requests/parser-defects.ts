import { type HostileRequest, head, smuggled } from './hostile-request.ts';

const chunked = head('POST /p HTTP/1.1', 'Host: h', 'Transfer-Encoding: chunked');

function defect(
  name: string,
  bytes: string,
  what: string,
  seen: readonly [string, string, string | undefined][],
): HostileRequest {
  const requests = seen.map(([method, target, body]) => ({ method, target, body }));
  return { name, bytes, expected: { outcome: 'parser defect', defect: what, seen: requests } };
}

/** What the native parser gets wrong before our checks can see it. */
export const parserDefects: readonly HostileRequest[] = [
  defect(
    'an empty field name that hides a Content-Length',
    head('GET /f HTTP/1.1', 'Host: h', ': x', `Content-Length: ${smuggled.length}`) + smuggled,
    'the fields behind are not told, and what would be the body is read as the next request',
    [
      ['GET', '/f', ''],
      ['GET', '/smuggled', ''],
    ],
  ),
  defect(
    'bytes beyond ASCII around a Content-Length',
    `${head('POST /p HTTP/1.1', 'Host: h', 'Content-Length: \x80\xff5\x99')}hello`,
    'bytes beyond ASCII at the ends of a value are cut off as if they were spaces',
    [['POST', '/p', 'hello']],
  ),
  defect(
    'a value that ends with a byte beyond ASCII',
    head('GET /f HTTP/1.1', 'Host: h', 'X: caf\xe9'),
    'the byte is lost',
    [['GET', '/f', '']],
  ),
  defect(
    'a chunk size that is a space',
    `${chunked} 5\r\nhello\r\n0\r\n\r\n`,
    'a space ends the size: an empty, last chunk',
    [['POST', '/p', '']],
  ),
  defect(
    'a chunk size that ends with LF alone',
    `${chunked}5\nhello\r\n0\r\n\r\n`,
    'one byte is taken for the missing one',
    [['POST', '/p', 'hello']],
  ),
  defect('a chunk that does not end with CRLF', `${chunked}5\r\nhelloXX0\r\n\r\n`, 'any two bytes are taken for CRLF', [
    ['POST', '/p', 'hello'],
  ]),
  defect(
    'a chunk extension',
    `${chunked}5;a=b\r\nhello\r\n0\r\n\r\n`,
    'the semicolon is taken for a digit, and a larger chunk waited for',
    [['POST', '/p', undefined]],
  ),
  defect(
    'a request in its trailers',
    `${chunked}0\r\nX:${smuggled}`,
    'trailers are read as the next request, two bytes into them; as the answer is pending, the connection is closed',
    [],
  ),
];
