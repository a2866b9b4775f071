import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCombinedFormat } from '../../../src/log/combined-format.ts';
import type { RequestContext } from '../../../src/request/request-context.ts';
import { PorticoError } from '../../../src/response/portico-error.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';

const format = createCombinedFormat();
const times = { time: Date.UTC(2026, 10, 22, 7, 8, 9, 123), durationMs: 1.5 };

function request(fake: FakeRequest, status = 200, bytes = 612): RequestContext {
  const exchange = new FakeExchange(fake);
  exchange.status = status;
  exchange.bytesSent = bytes;
  return exchange.withContext('/');
}

/** The line with its local time taken out. */
function line(context: RequestContext): string {
  return format(context, times, 2048).replace(/\[\d\d\/\w{3}\/\d{4}:[^\]]*\]/, '[time]');
}

test('a line is byte for byte what NGINX and Apache write', () => {
  const fields = { Referer: 'https://example.com/a', 'User-Agent': 'curl/8.14.1' };
  const context = request({ method: 'POST', target: '/a%20b?c=d', fields });
  assert.equal(
    line(context),
    '192.0.2.1 - - [time] "POST /a%20b?c=d HTTP/1.1" 200 612 "https://example.com/a" "curl/8.14.1"',
  );
});

test('the time is local, with its offset', () => {
  const text = format(request({}), times, 2048);
  const [, stamp = ''] = /\[([^\]]*)\]/.exec(text) ?? [];
  assert.match(stamp, /^\d\d\/[A-Z][a-z]{2}\/2026:\d\d:\d\d:09 [+-]\d{4}$/);
  const [, day, month, year, clock, zone] = /^(\d+)\/(\w+)\/(\d+):(\S+) (\S+)$/.exec(stamp) ?? [];
  assert.equal(Date.parse(`${day} ${month} ${year} ${clock} ${zone}`), Math.floor(times.time / 1000) * 1000);
});

test('what is not there is a dash', () => {
  assert.equal(line(request({}, 304, 0)), '192.0.2.1 - - [time] "GET / HTTP/1.1" 304 0 "-" "-"');
  assert.match(line(request({ method: '', target: '' }, 400)), /"-" 400/);
});

test('a client that left before a response began shows as 499', () => {
  assert.match(line(request({}, 0, 0)), /" 499 0 "/);
  const context = request({}, 0, 0);
  context.error = new PorticoError('upstream_reset', 'x');
  assert.match(line(context), /" 502 0 "/);
});

test('the address is that of the client, not of a trusted proxy', () => {
  const context = request({});
  context.client = { address: '2001:db8::1', scheme: 'https', host: 'a', port: 443, trusted: true };
  assert.match(line(context), /^2001:db8::1 - /);
});

test('the user of Basic authentication is named, and the password is not', () => {
  const user = (credentials: string, scheme = 'Basic') => {
    const value = `${scheme} ${Buffer.from(credentials).toString('base64')}`;
    return /- (\S+) \[time\]/.exec(line(request({ fields: { Authorization: value } })))?.[1];
  };
  assert.equal(user('anna:secret'), 'anna');
  assert.equal(user('an na" [x]:secret', 'basic'), 'an\\x20na\\x22\\x20[x]');
  assert.equal(user('nocolon'), '-');
  assert.equal(user(':empty'), '-');
  assert.equal(user('anna:secret', 'Bearer'), '-');
});

test('hostile bytes are escaped as NGINX escapes them', () => {
  const context = request({ target: '/"\\\n\u007f\u00ff', fields: { 'User-Agent': 'a"b\\c\r\u0000\u00e9\tz' } });
  assert.match(line(context), /"GET \/\\x22\\x5C\\x0A\\x7F\\xFF HTTP\/1\.1"/);
  assert.match(line(context), /"a\\x22b\\x5Cc\\x0D\\x00\\xE9\\x09z"$/);
});

test('no client can forge a field or a line', () => {
  const byte = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 60 });
  fc.assert(
    fc.property(byte, byte, byte, byte, (method, target, referer, agent) => {
      const fields = { Referer: referer, 'User-Agent': agent, Authorization: `Basic ${btoa(`${target}:x`)}` };
      const text = line(request({ method: `M${method}`, target: `/${target}`, fields }));
      assert.match(text, /^[\x20-\x7e]*$/);
      assert.match(text, /^192\.0\.2\.1 - \S+ \[time\] "[^"]*" 200 612 "[^"]*" "[^"]*"$/);
    }),
  );
});

test('long fields are cut where asked, with a mark', () => {
  const text = format(
    request({ target: `/${'a'.repeat(5000)}`, fields: { 'User-Agent': 'b'.repeat(5000) } }),
    times,
    96,
  );
  assert.ok(text.includes(`"GET /${'a'.repeat(95)}... HTTP/1.1"`));
  assert.ok(text.endsWith(`"${'b'.repeat(96)}..."`));
});
