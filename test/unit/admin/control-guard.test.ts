import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { type ControlAccess, refusalOf } from '../../../src/admin/control-guard.ts';

const good: IncomingHttpHeaders = { host: '127.0.0.1:9180', 'content-type': 'application/json' };

function refusal(
  headers: IncomingHttpHeaders,
  access: ControlAccess = 'local',
  remoteAddress = '127.0.0.1',
  host?: string,
) {
  return refusalOf({ headers: { ...good, ...headers }, remoteAddress }, access, host)?.status;
}

test('a program on this machine may', () => {
  assert.equal(refusal({}), undefined);
  assert.equal(refusal({}, 'local', '::1'), undefined);
  assert.equal(refusal({}, 'local', '::ffff:127.0.0.1'), undefined);
  assert.equal(refusal({ 'content-type': 'application/json; charset=utf-8' }), undefined);
});

test('a page in a browser may not', () => {
  assert.equal(refusal({ origin: 'http://127.0.0.1:9180' }), 403);
  assert.equal(refusal({ origin: 'null' }), 403);
  assert.equal(refusal({ 'sec-fetch-site': 'cross-site' }), 403);
  assert.equal(refusal({ 'sec-fetch-site': 'same-origin' }), 403);
  assert.equal(refusal({ 'sec-fetch-site': 'none' }), undefined);
});

test('what a form can send is not enough', () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=a',
    'application/jsonx',
  ]) {
    assert.equal(refusal({ 'content-type': type }), 415, type);
  }
  assert.equal(
    refusalOf({ headers: { host: 'localhost' }, remoteAddress: '127.0.0.1' }, 'local', undefined)?.status,
    415,
  );
});

test('names that anybody can make point here are not taken for the host', () => {
  for (const host of [
    'evil.example',
    'evil.example:9180',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '',
    '[::1',
    'a@localhost',
  ]) {
    assert.equal(refusal({ host }), 403, host);
  }
  for (const host of ['localhost', 'LOCALHOST:9180', '127.0.0.1', '10.1.2.3:80', '[::1]:9180', '[::1]']) {
    assert.equal(refusal({ host }), undefined, host);
  }
  assert.equal(refusal({ host: 'portico.internal:9180' }, 'local', '127.0.0.1', 'portico.internal'), undefined);
});

test('other machines may when everybody may, and nobody when it is off', () => {
  assert.equal(refusal({}, 'local', '10.0.0.7'), 403);
  assert.equal(refusal({}, 'local', '1270.0.0.1'), 403);
  assert.equal(refusal({}, 'all', '10.0.0.7'), undefined);
  assert.equal(refusal({}, 'off'), 403);
});
