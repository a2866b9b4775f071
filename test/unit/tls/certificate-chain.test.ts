import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { chainFault } from '../../../src/tls/certificate-chain.ts';
import { TestCertificates } from '../../support/test-certificates.ts';

const made = new TestCertificates();
after(() => made.remove());
const { intermediate } = made;
const leaf = textOf(made.make('leaf', ['example.com'], { issuer: intermediate }).certificate);
const other = textOf(made.make('other', ['other.test']).certificate);
const authority = textOf(made.authority);
const between = textOf(intermediate.certificate);

function textOf(file: string): string {
  return readFileSync(file, 'utf8');
}

describe('the chain behind a certificate', () => {
  test('is complete up to a root', () => {
    assert.equal(chainFault({ chain: leaf + between + authority }), undefined);
    assert.equal(chainFault({ chain: authority }), undefined);
    assert.equal(chainFault({ chain: rootCertificates[0] ?? '' }), undefined);
  });

  test('may not lack the issuer', () => {
    const fault = chainFault({ chain: leaf }) ?? '';
    assert.match(fault, /^the chain is not complete: "intermediate", the issuer of "example.com", is neither/);
    assert.match(chainFault({ chain: leaf + between }) ?? '', /"Test Authority", the issuer of "intermediate"/);
  });

  test('may not be in the wrong order', () => {
    assert.equal(
      chainFault({ chain: leaf + authority + between }),
      'its certificates are in the wrong order: behind "example.com" must come its issuer, "intermediate"',
    );
  });

  test('may not be that of another certificate', () => {
    assert.equal(
      chainFault({ chain: leaf + other + authority }),
      'behind "example.com" comes "other.test", which is not its issuer: "intermediate" is missing',
    );
  });
});
