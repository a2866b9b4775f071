import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProxyHandlerConfig } from '../../../src/proxy/proxy-config.ts';
import { RequestHeadWriter } from '../../../src/proxy/request-head-writer.ts';
import type { ClientIdentity } from '../../../src/request/client-identity.ts';
import { TunnelCensus } from '../../../src/tunnel/tunnel-census.ts';
import { TunnelRoute } from '../../../src/tunnel/tunnel-route.ts';
import type { Server } from '../../../src/upstream/server.ts';
import type { ServerTls } from '../../../src/upstream/server-tls.ts';
import { FakeExchange, type FakeRequest } from '../../support/fake-exchange.ts';
import { FakeRecorder } from '../../support/fake-recorder.ts';
import { proxyConfig } from '../../support/proxied.ts';

const trustedClient: ClientIdentity = {
  address: '203.0.113.7',
  scheme: 'https',
  host: 'shop.example',
  port: 443,
  trusted: true,
};

interface Written {
  readonly requestLine: string;
  /** Lines by name in lower case. */
  readonly fields: Map<string, string[]>;
}

function write(
  request: FakeRequest,
  config: Partial<ProxyHandlerConfig> = {},
  client?: ClientIdentity,
  server: Partial<Server> = {},
  length: number | undefined = 0,
): Written {
  const context = new FakeExchange(request).withContext();
  context.client = client;
  const asked = { address: { host: '10.0.0.1', port: 8000 }, keepsAlive: true, ...server } as Server;
  const text = new RequestHeadWriter(proxyConfig(config)).write(context, asked, length);
  assert.ok(text.endsWith('\r\n\r\n'));
  const [requestLine = '', ...lines] = text.slice(0, -4).split('\r\n');
  const fields = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(': ');
    const name = line.slice(0, colon).toLowerCase();
    fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 2)]);
  }
  return { requestLine, fields };
}

describe('the request line', () => {
  test('has the method and the target byte for byte', () => {
    const { requestLine } = write({ method: 'PROPFIND', target: '/a//b/%2e%2E/c;d=%20?x=%zz&y=a+b' });
    assert.equal(requestLine, 'PROPFIND /a//b/%2e%2E/c;d=%20?x=%zz&y=a+b HTTP/1.1');
  });

  const stripped: [prefix: string, target: string, expected: string][] = [
    ['/api', '/api/users?page=1', '/users?page=1'],
    ['/api', '/api', '/'],
    ['/api', '/api?x', '/?x'],
    ['/api/', '/api/users/', '/users/'],
    ['/api/', '/api/', '/'],
    ['/api', '/%61pi/a%20b', '/a%20b'],
    ['/', '/users', '/users'],
  ];
  for (const [prefix, target, expected] of stripped) {
    test(`asks for ${expected} when ${prefix} is stripped off ${target}`, () => {
      assert.equal(write({ target }, { stripPrefix: true, prefix }).requestLine, `GET ${expected} HTTP/1.1`);
    });
  }
});

describe('Host', () => {
  test("is the client's, the server's or a fixed one", () => {
    const request = { host: 'shop.example:8080' };
    assert.deepEqual(write(request).fields.get('host'), ['shop.example:8080']);
    assert.deepEqual(write(request, { host: 'upstream' }).fields.get('host'), ['10.0.0.1:8000']);
    assert.deepEqual(write(request, { host: { value: 'app' } }).fields.get('host'), ['app']);
    const onPort80 = { address: { host: 'app', port: 80 } };
    assert.deepEqual(write(request, { host: 'upstream' }, undefined, onPort80).fields.get('host'), ['app']);
    const tls = {} as ServerTls;
    const secure = { address: { host: 'app', port: 443 }, tls };
    assert.deepEqual(write(request, { host: 'upstream' }, undefined, secure).fields.get('host'), ['app']);
    const onOther = { address: { host: 'app', port: 80 }, tls };
    assert.deepEqual(write(request, { host: 'upstream' }, undefined, onOther).fields.get('host'), ['app:80']);
    const set = { requestHeaders: { set: { host: 'other' }, remove: [] } };
    assert.deepEqual(write(request, set).fields.get('host'), ['other']);
  });
});

describe('the framing', () => {
  test('is written afresh', () => {
    const sent = { method: 'POST', fields: { 'content-length': '5', 'transfer-encoding': 'chunked' } };
    assert.deepEqual(write(sent, {}, undefined, {}, 5).fields.get('content-length'), ['5']);
    assert.equal(write(sent, {}, undefined, {}, 5).fields.has('transfer-encoding'), false);
  });

  test('asks the server to close where connections are not kept', () => {
    assert.deepEqual(write({}, {}, undefined, { keepsAlive: false }).fields.get('connection'), ['close']);
    assert.equal(write({}).fields.has('connection'), false);
  });
});

describe('fields that end at a proxy', () => {
  test('are not sent, nor those that Connection names', () => {
    const { fields } = write({
      fields: {
        connection: 'keep-alive, X-Secret, close',
        'x-secret': '1',
        'keep-alive': '5',
        'proxy-connection': 'x',
        'proxy-authorization': 'Basic x',
        proxy: 'http://evil',
        te: 'trailers',
        trailer: 'x',
        upgrade: 'websocket',
        'http2-settings': 'x',
        expect: '100-continue',
        'x-kept': '2',
      },
    });
    const own = ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-real-ip'];
    assert.deepEqual([...fields.keys()], [...own, 'x-request-id', 'x-kept']);
  });
});

describe('what a client says about itself', () => {
  const claims = {
    'x-forwarded-for': '1.1.1.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil',
    'x-forwarded-port': '1',
    'x-forwarded-ssl': 'on',
    'x-forwarded-prefix': '/admin',
    'x-forwarded-protocol': 'https',
    'x-real-ip': '1.1.1.1',
    'x-scheme': 'https',
    'x-original-url': '/admin',
    forwarded: 'for=1.1.1.1',
    'x-request-id': 'theirs',
  };

  test('is replaced by what is known of the connection', () => {
    const { fields } = write({ fields: claims });
    assert.deepEqual(fields.get('x-forwarded-for'), ['192.0.2.1']);
    assert.deepEqual(fields.get('x-forwarded-proto'), ['http']);
    assert.deepEqual(fields.get('x-forwarded-host'), ['example.com']);
    assert.deepEqual(fields.get('x-forwarded-port'), ['8080']);
    assert.deepEqual(fields.get('x-real-ip'), ['192.0.2.1']);
    assert.match(fields.get('x-request-id')?.join() ?? '', /^[0-9a-f]{32}$/);
    for (const name of [
      'x-forwarded-ssl',
      'x-forwarded-prefix',
      'x-forwarded-protocol',
      'x-scheme',
      'x-original-url',
      'forwarded',
    ]) {
      assert.equal(fields.has(name), false, name);
    }
  });

  test('is continued when a trusted proxy says it', () => {
    const { fields } = write({ fields: claims }, { forwarded: true }, trustedClient);
    assert.deepEqual(fields.get('x-forwarded-for'), ['1.1.1.1, 192.0.2.1']);
    assert.deepEqual(fields.get('x-forwarded-proto'), ['https']);
    assert.deepEqual(fields.get('x-forwarded-host'), ['shop.example']);
    assert.deepEqual(fields.get('x-forwarded-port'), ['443']);
    assert.deepEqual(fields.get('x-real-ip'), ['203.0.113.7']);
    assert.deepEqual(fields.get('x-request-id'), ['theirs']);
    assert.deepEqual(fields.get('x-forwarded-prefix'), ['/admin']);
    assert.deepEqual(fields.get('forwarded'), ['for=1.1.1.1, for=192.0.2.1;host="shop.example";proto=https']);
  });

  test('never passes under a name with an underscore', () => {
    const request = {
      fields: { x_forwarded_for: '1.1.1.1', script_name: '/admin', remote_user: 'root', 'x-a_b': '1' },
    };
    for (const client of [undefined, trustedClient]) {
      const { fields } = write(request, {}, client);
      assert.deepEqual(
        [...fields.keys()].filter((name) => name.includes('_')),
        [],
      );
    }
  });

  test('is told in Forwarded for IPv6 peers in quotes', () => {
    const { fields } = write({ connection: { remoteAddress: '2001:db8::1' } }, { forwarded: true });
    assert.deepEqual(fields.get('forwarded'), ['for="[2001:db8::1]";host="example.com";proto=http']);
    assert.deepEqual(fields.get('x-forwarded-for'), ['2001:db8::1']);
  });
});

describe('changes of the route', () => {
  test('replace, add and remove fields, its own ones too', () => {
    const requestHeaders = { set: { 'X-Forwarded-Proto': 'https', 'X-New': 'a' }, remove: ['Cookie', 'X-Real-IP'] };
    const { fields } = write({ fields: { cookie: 'a=1', 'x-new': 'theirs', accept: '*/*' } }, { requestHeaders });
    assert.deepEqual(fields.get('x-forwarded-proto'), ['https']);
    assert.deepEqual(fields.get('x-new'), ['a']);
    assert.equal(fields.has('cookie'), false);
    assert.equal(fields.has('x-real-ip'), false);
    assert.deepEqual(fields.get('accept'), ['*/*']);
  });

  for (const name of ['Content-Length', 'transfer-encoding', 'Connection', 'Upgrade', 'Expect']) {
    test(`must not set ${name}`, () => {
      const requestHeaders = { set: { [name]: '1' }, remove: [] };
      assert.throws(() => new RequestHeadWriter(proxyConfig({ requestHeaders })), /which Portico writes itself/);
    });
  }
});

describe('bytes', () => {
  test('of values stay as they are, one character a byte', () => {
    assert.deepEqual(write({ fields: { 'x-a': 'caf\xc3\xa9' } }).fields.get('x-a'), ['caf\xc3\xa9']);
  });
});

describe('what is remembered between requests', () => {
  const config = proxyConfig({});
  const server = { address: { host: '10.0.0.1', port: 8000 }, keepsAlive: true } as Server;
  const ask = (writer: RequestHeadWriter, request: FakeRequest, client: Partial<ClientIdentity> = {}): string => {
    const context = new FakeExchange(request).withContext();
    context.client = { ...trustedClient, trusted: false, ...client };
    return writer.write(context, server, 0);
  };

  test('does not give one client the lines of another', () => {
    const writer = new RequestHeadWriter(config);
    for (let round = 0; round < 2; round++) {
      assert.match(ask(writer, {}), /\r\nX-Forwarded-For: 203\.0\.113\.7\r\nX-Forwarded-Proto: https\r\n/);
      assert.match(ask(writer, {}, { scheme: 'http' }), /\r\nX-Forwarded-Proto: http\r\n/);
      assert.match(ask(writer, {}, { host: 'other' }), /\r\nX-Forwarded-Host: other\r\n/);
      assert.match(ask(writer, {}, { port: 81 }), /\r\nX-Forwarded-Port: 81\r\n/);
      assert.match(ask(writer, {}, { address: '192.0.2.1' }), /\r\nX-Real-IP: 192\.0\.2\.1\r\n/);
    }
  });

  test('does not let through for clients what a trusted proxy may say, nor the other way round', () => {
    const writer = new RequestHeadWriter(config);
    const request = { fields: { 'x-forwarded-prefix': '/app', 'x-script-name': '/app', accept: '*/*' } };
    for (let round = 0; round < 2; round++) {
      assert.doesNotMatch(ask(writer, request), /prefix|script/);
      assert.match(
        ask(writer, request, { trusted: true }),
        /\r\nx-forwarded-prefix: \/app\r\nx-script-name: \/app\r\n/,
      );
    }
  });

  test('has a bound that changes nothing for names and clients beyond it', () => {
    const writer = new RequestHeadWriter(config);
    for (let count = 0; count < 3000; count++) {
      const text = ask(writer, { fields: { [`x-${count}`]: 'a', x_b: 'c' } }, { address: `192.0.2.${count}` });
      assert.match(text, new RegExp(`\\r\\nx-${count}: a\\r\\n`));
      assert.match(text, new RegExp(`\\r\\nX-Forwarded-For: 192\\.0\\.2\\.${count}\\r\\n`));
      assert.doesNotMatch(text, /x_b/);
    }
  });
});

test('an upgrade is written afresh, with what was planned and nothing of what the client says', () => {
  const exchange = new FakeExchange({
    method: 'POST',
    fields: { connection: 'upgrade, x-a', upgrade: 'h2c, tcp', 'http2-settings': 'AAMAAABk', 'x-a': 'b' },
  });
  const context = exchange.withContext();
  const plan = new TunnelRoute(
    { protocols: ['TCP', 'foo'], idleTimeout: 1, maxOpen: 1 },
    new TunnelCensus(),
    new FakeRecorder(),
  );
  context.upgrade = plan.plan(['h2c', 'tcp', 'foo']);
  for (const keepsAlive of [true, false]) {
    const server = { address: { host: '10.0.0.1', port: 8000 }, keepsAlive } as Server;
    const lines = new RequestHeadWriter(proxyConfig()).write(context, server, 0).split('\r\n');
    assert.deepEqual(
      lines.filter((line) => /^(connection|upgrade|http2-settings|x-a):/i.test(line)),
      ['Connection: Upgrade', 'Upgrade: tcp, foo'],
    );
  }
});
