import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { type ListeningPlace, NodeConnectionInfo } from '../../../src/listener/node-connection-info.ts';

const place: ListeningPlace = { scheme: 'https', address: ':443', isUnix: false, port: 8443 };

test('a connection knows both of its ends, its own for as long as it is asked for before the end', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    client.destroy();
    server.close();
  });
  const [asked, notAsked] = [newInfo(socket), newInfo(socket)];
  assert.equal(asked.localAddress, '127.0.0.1');
  socket.destroy();
  await once(socket, 'close');
  assert.equal(asked.remoteAddress, '127.0.0.1');
  assert.equal(asked.remotePort, notAsked.remotePort);
  assert.deepEqual([asked.localAddress, notAsked.localAddress], ['127.0.0.1', '']);
  assert.deepEqual([asked.localPort, asked.scheme, asked.listener], [8443, 'https', ':443']);
});

test('whoever comes by a Unix socket came to the port of the scheme, and has no address', () => {
  const unix = { ...place, isUnix: true, port: 0 };
  const socket = {} as Socket;
  const info = new NodeConnectionInfo(socket, unix, '', undefined);
  assert.deepEqual([info.remoteAddress, info.localAddress, info.localPort], ['', '', 443]);
  assert.equal(new NodeConnectionInfo(socket, { ...unix, scheme: 'http' }, '', undefined).localPort, 80);
});

test('behind a proxy that says so, the client is the one whom it names', () => {
  const info = new NodeConnectionInfo({} as Socket, place, 'X-A: b\r\n', { address: '192.0.2.7', port: 1234 });
  assert.deepEqual([info.remoteAddress, info.remotePort, info.clientFields], ['192.0.2.7', 1234, 'X-A: b\r\n']);
});

function newInfo(socket: Socket): NodeConnectionInfo {
  return new NodeConnectionInfo(socket, place, '', undefined);
}
