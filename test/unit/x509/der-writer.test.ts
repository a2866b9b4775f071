import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  boolean,
  element,
  generalizedTime,
  objectIdentifier,
  sequence,
  unsignedInteger,
} from '../../../src/x509/der-writer.ts';

function hex(bytes: Buffer): string {
  return bytes.toString('hex');
}

describe('DER', () => {
  test('writes lengths in one byte below 128, and in as few as needed from there on', () => {
    assert.equal(hex(element(0x04, Buffer.alloc(127)).subarray(0, 2)), '047f');
    assert.equal(hex(element(0x04, Buffer.alloc(128)).subarray(0, 3)), '048180');
    assert.equal(hex(element(0x04, Buffer.alloc(256)).subarray(0, 4)), '04820100');
    assert.equal(hex(element(0x04, Buffer.alloc(65_536)).subarray(0, 5)), '0483010000');
  });

  test('writes integers without sign: no zeros in front, but one where the first bit is set', () => {
    assert.equal(hex(unsignedInteger(Buffer.from([0]))), '020100');
    assert.equal(hex(unsignedInteger(Buffer.from([0, 0, 1]))), '020101');
    assert.equal(hex(unsignedInteger(Buffer.from([0x80]))), '02020080');
    assert.equal(hex(unsignedInteger(Buffer.from([0, 0x7f, 0xff]))), '02027fff');
  });

  test('writes object identifiers (X.690 section 8.19)', () => {
    assert.equal(hex(objectIdentifier('1.2.840.113549')), '06062a864886f70d');
    assert.equal(hex(objectIdentifier('2.5.29.17')), '0603551d11');
    assert.equal(hex(objectIdentifier('1.3.6.1.5.5.7.1.31')), '06082b0601050507011f');
  });

  test('writes truth as 255, times to the second, and what is in a sequence in order', () => {
    assert.equal(hex(sequence(boolean(true), boolean(false))), '30060101ff010100');
    assert.equal(
      generalizedTime(Date.UTC(2051, 0, 2, 3, 4, 5, 678))
        .subarray(2)
        .toString(),
      '20510102030405Z',
    );
  });
});
