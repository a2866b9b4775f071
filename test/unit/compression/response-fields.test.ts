import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { codedTag, tagAsKnown, uncodedRequest } from '../../../src/compression/coded-tags.ts';
import { CodingChooser } from '../../../src/compression/coding-chooser.ts';
import { isEventStream, MediaTypes } from '../../../src/compression/media-types.ts';
import { ResponseFields } from '../../../src/compression/response-fields.ts';
import { parseEntityTag } from '../../../src/http/etag.ts';
import { responseHead } from '../../../src/response/response-head.ts';
import { FakeExchange } from '../../support/fake-exchange.ts';

const codings = ['zstd', 'br', 'gzip'] as const;

describe('the head of a compressed response', () => {
  test('keeps every field that is still true, in its order', () => {
    const head = responseHead(404, [
      ['content-type', 'text/html'],
      ['X-A', '1'],
      ['ACCEPT-RANGES', 'bytes'],
      ['Set-Cookie', 'a=b'],
      ['Set-Cookie', 'c=d'],
      ['vary', 'Cookie'],
      ['Vary', 'Accept-Language'],
    ]);
    const coded = new ResponseFields(head).codedHead('br');
    assert.equal(coded.status, 404);
    assert.equal(
      coded.block.toString('latin1'),
      [
        '404 Not Found',
        'content-type: text/html',
        'X-A: 1',
        'Set-Cookie: a=b',
        'Set-Cookie: c=d',
        'Vary: Cookie, Accept-Encoding',
        'Vary: Accept-Language',
        'Content-Encoding: br',
      ].join('\r\n'),
    );
  });

  test('says what reading line by line says, however names are written', () => {
    const untrue = ['accept-ranges', 'content-digest', 'content-length', 'content-md5', 'digest', 'repr-digest'];
    const names = [...untrue, 'etag', 'vary', 'set-cookie', 'content-type', 'x-etag', 'server', 'date', 'varz', 'e-ag'];
    const anyCase = (name: string) =>
      fc
        .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
        .map((upper) => [...name].map((letter, at) => (upper[at] === true ? letter.toUpperCase() : letter)).join(''));
    const value = fc.constantFrom('"a"', 'W/"a"', '', 'Cookie', 'accept-encoding', 'a:b', ' \xff');
    const field = fc.tuple(fc.constantFrom(...names).chain(anyCase), value);
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        const head = responseHead(200, fields, 'OK: fine');
        const read = new ResponseFields(head);
        const last = (name: string) => fields.findLast(([one]) => one.toLowerCase() === name)?.[1].trim();
        assert.equal(read.etag, last('etag'));
        assert.equal(
          read.setsCookie,
          fields.some(([name]) => name.toLowerCase() === 'set-cookie'),
        );
        const varies = fields.some(([name, text]) => name.toLowerCase() === 'vary' && text === 'accept-encoding');
        let named = varies;
        const expected = ['200 OK: fine'];
        for (const [name, text] of fields) {
          const key = name.toLowerCase();
          if (untrue.includes(key)) continue;
          if (key === 'etag') expected.push(`ETag: ${codedTag(text.trim(), 'gzip')}`);
          else if (key === 'vary' && !named) {
            named = true;
            expected.push(`Vary: ${text.trim() === '' ? '' : `${text.trim()}, `}Accept-Encoding`);
          } else expected.push(`${name}: ${text}`);
        }
        expected.push('Content-Encoding: gzip');
        if (!named) expected.push('Vary: Accept-Encoding');
        assert.equal(read.codedHead('gzip').block.toString('latin1'), expected.join('\r\n'));
      }),
    );
  });

  test('keeps bytes beyond ASCII', () => {
    const head = responseHead(200, [['X-Name', '\xe4\xff']]);
    assert.match(new ResponseFields(head).varying().block.toString('latin1'), /X-Name: \xe4\xff\r\nVary/);
  });

  test('leaves a Vary that says enough', () => {
    for (const vary of ['*', 'accept-encoding', 'Cookie, ACCEPT-ENCODING', ' Accept-Encoding ,Cookie']) {
      const head = responseHead(200, [['Vary', vary]]);
      assert.ok(new ResponseFields(head).varying().block.equals(head.block), vary);
    }
  });

  test('reads no-transform among other directives only as a whole word', () => {
    const forbids = (value: string) => new ResponseFields(responseHead(200, [['Cache-Control', value]])).noTransform;
    for (const value of ['no-transform', 'public,No-Transform', 'max-age=1, no-transform, x'])
      assert.ok(forbids(value));
    for (const value of ['x-no-transform', 'no-transformation', 'public']) assert.ok(!forbids(value), value);
  });
});

describe('the entity tag of a compressed form', () => {
  const requestWith = (fields: Record<string, string>) => new FakeExchange({ fields }).head;
  const shown = (fields: Record<string, string>, name: string) =>
    uncodedRequest(requestWith(fields), ['gzip'], codings).fields.get(name);

  test('is the tag of the body with the coding in it, and comes back as both', () => {
    const opaque = fc.stringMatching(/^[\x21\x23-\x7e]{0,20}$/);
    fc.assert(
      fc.property(opaque, fc.constantFrom(...codings), (text, coding) => {
        const tag = codedTag(`"${text}"`, coding);
        assert.deepEqual(parseEntityTag(tag), { weak: false, opaque: `"${text}-${coding}"` });
        const seen = uncodedRequest(requestWith({ 'if-none-match': tag }), [coding], codings).fields.get(
          'if-none-match',
        );
        assert.ok(seen?.split(', ').includes(tag));
        assert.ok(seen?.split(', ').includes(`"${text}"`));
        assert.equal(tagAsKnown(tag, `"${text}"`, [coding]), tag);
      }),
    );
  });

  test('leaves weak tags, and what is none', () => {
    for (const tag of ['W/"a"', 'a', '"', '']) assert.equal(codedTag(tag, 'gzip'), tag);
  });

  test('is not shown where the client could not be sent the form', () => {
    assert.equal(shown({ 'if-none-match': '"a-br"' }, 'if-none-match'), '"a-br"');
    assert.equal(shown({ 'if-match': '"a-br"' }, 'if-match'), '"a-br", "a"');
    assert.equal(shown({ 'if-range': '"a-gzip"' }, 'if-range'), '"a-gzip"');
  });

  test('changes no request without one', () => {
    for (const fields of [
      {},
      { 'if-none-match': '*' },
      { 'if-none-match': '"a"' },
      { 'if-none-match': 'broken-gzip"' },
    ]) {
      const head = requestWith(fields);
      assert.equal(uncodedRequest(head, ['gzip'], codings), head);
    }
  });

  test('shows a tag that was weakened on its way, too', () => {
    assert.equal(shown({ 'if-none-match': 'W/"a-gzip"' }, 'if-none-match'), 'W/"a-gzip", W/"a"');
    assert.equal(tagAsKnown('W/"a-gzip"', '"a"', ['gzip']), '"a-gzip"');
  });
});

describe('media types', () => {
  test('match as they are written, with and without parameters', () => {
    const types = new MediaTypes(['text/*', 'application/json', 'application/*+json', '*/*+xml']);
    for (const type of [
      'text/html',
      'TEXT/HTML; charset=utf-8',
      'application/json ;x',
      'application/ld+json',
      'image/svg+xml',
    ]) {
      assert.ok(types.has(type), type);
    }
    for (const type of ['application/json-seq', 'image/x+json', 'texthtml', '', ';', 'text/event-stream']) {
      assert.ok(!types.has(type), type);
    }
    assert.ok(new MediaTypes(['text/event-stream']).has('text/event-stream'));
    assert.ok(isEventStream('Text/Event-Stream; charset=utf-8'));
  });

  test('are remembered within a bound', () => {
    const types = new MediaTypes(['text/*']);
    for (let index = 0; index < 2000; index++) assert.ok(types.has(`text/x${index}`));
  });
});

describe('a choice by Accept-Encoding', () => {
  test('never chooses what was refused, whatever the field', () => {
    const member = fc.tuple(
      fc.constantFrom('gzip', 'br', 'zstd', 'identity', '*', 'x-gzip', 'deflate', ''),
      fc.constantFrom('', ';q=0', ';q=0.0', ';q=0.5', ';q=1', ';q=1.001', ';Q=0', '; q = 0', ';q=', ';x=1'),
    );
    const chooser = new CodingChooser(codings);
    fc.assert(
      fc.property(fc.array(member, { maxLength: 6 }), (members) => {
        const { best, all } = chooser.choose(members.map(([name, weight]) => name + weight).join(','));
        for (const coding of all) {
          const own = members.find(([name]) => name === coding || name === `x-${coding}`);
          const [, weight] = own ?? members.find(([name]) => name === '*') ?? ['', ';q=0'];
          assert.doesNotMatch(weight, /^;[qQ]=(0(\.0)?|1\.001|)$/);
        }
        if (best !== undefined) assert.equal(best, all[0]);
      }),
    );
  });

  test('survives any text', () => {
    const chooser = new CodingChooser(codings);
    fc.assert(fc.property(fc.string(), (text) => void chooser.choose(text)));
  });
});
