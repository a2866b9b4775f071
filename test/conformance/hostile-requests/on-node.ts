import { canonical, type Expectation, type HostileRequest, refused } from './hostile-request.ts';

/** What the engine on node sockets does otherwise, by the row's name: it understands more, and refuses what uWebSockets.js misreads. */
const otherwise: Readonly<Record<string, Expectation>> = {
  'HTTP/1.0': canonical('GET', '/'),
  'an absolute target': canonical('GET', '/', '', { host: 'h' }),
  'an empty line in front': canonical('GET', '/'),
  'HTTP/2.0': refused(505),
  'the preface of HTTP/2': refused(505),
  'a request in its trailers': canonical('POST', '/p'),
  'two fields of one name beyond ASCII': canonical('GET', '/f'),
  'a value that ends with a byte beyond ASCII': canonical('GET', '/f', '', { x: 'caf\xe9' }),
  'a chunk extension': canonical('POST', '/p', 'hello'),
};

/** What must become of a request on node sockets. */
export function expectationOnNode({ name, expected }: HostileRequest): Expectation {
  const other = otherwise[name];
  if (other !== undefined) return other;
  if (expected.outcome === 'canonical') return expected;
  // The native parser answers much with 505 that has nothing to do with versions, or hangs.
  const status = expected.outcome === 'refused' && expected.status !== 505 ? expected.status : 400;
  return refused(status);
}
