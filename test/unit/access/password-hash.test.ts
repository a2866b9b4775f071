import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { knowsArgon2, PasswordHasher, passwordHashMistake } from '../../../src/access/password-hash.ts';
import { piFraction } from '../../../src/access/pi-fraction.ts';

const hasher = new PasswordHasher();
const matches = (password: string, hash: string): boolean => hasher.matches(Buffer.from(password), hash);

// Made by libxcrypt: crypt("…", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.").
const salt = '$2b$05$CCCCCCCCCCCCCCCCCCCCC.';
const made: readonly (readonly [password: string, hash: string])[] = [
  ['', `${salt}7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy`],
  ['a', `${salt}crbyEJ0XFaJ9sONRyOTHdI7c4ZT.ndu`],
  ['abc', `${salt}gNn9EDJdrUJF53AHnb.4T9BCvqhUYdW`],
  ['U*U', `${salt}E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`],
  ['\u00ff\u00a3', `${salt}O6Vo01kxuquZXXegRULCeHT/vF0Yrk2`],
  ['x'.repeat(71), `${salt}WbbLb4J7PKYWYm3biA.M18AI380Pnzu`],
  ['x'.repeat(72), `${salt}D7RDOYXakZhsFmh/LdqQNx0kQ424AFS`],
];

describe('a bcrypt hash', () => {
  for (const [password, hash] of made) {
    test(`of a password of ${password.length} characters is that of another implementation`, () => {
      assert.equal(matches(password, hash), true);
      assert.equal(matches(`${password.slice(0, 70)}!`, hash), false);
    });
  }

  test('has 72 bytes of the password in it, as everywhere', () => {
    assert.equal(matches('x'.repeat(80), `${salt}D7RDOYXakZhsFmh/LdqQNx0kQ424AFS`), true);
  });

  test('is the same under each of its names', () => {
    for (const name of ['$2a$', '$2b$', '$2y$']) {
      const hash = `${name}05$CCCCCCCCCCCCCCCCCCCCC.gNn9EDJdrUJF53AHnb.4T9BCvqhUYdW`;
      assert.equal(passwordHashMistake(hash), undefined);
      assert.equal(matches('abc', hash), true);
    }
  });

  test('begins with the digits of pi that everybody knows', () => {
    const [first, second] = piFraction(1042);
    assert.deepEqual([first, second], [0x243f6a88, 0x85a308d3 | 0]);
    assert.equal(piFraction(1042).at(-1), 0x3ac372e6);
  });
});

describe('an argon2 hash', { skip: knowsArgon2 ? false : 'this Node.js has no argon2' }, () => {
  test('is checked', () => {
    // From the tests of the reference implementation.
    const hash = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
    assert.equal(passwordHashMistake(hash), undefined);
    assert.equal(matches('password', hash), true);
    assert.equal(matches('Password', hash), false);
  });
});

describe('what cannot be used as a hash', () => {
  const mistakes: readonly (readonly [hash: string, reason: RegExp])[] = [
    ['secret', /plain text/],
    ['', /plain text/],
    ['rqXexS6ZhobKA', /plain text, or one of the old DES/],
    ['{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', /SHA-1/],
    ['{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', /SHA-1/],
    ['$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', /MD5/],
    ['$1$r31.....$HqJZimcKQFAMYayBlzkrA/', /MD5/],
    ['$6$salt$hash', /SHA-2/],
    ['$2x$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy', /damaged bcrypt/],
    ['$2y$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWN', /damaged bcrypt/],
    ['$2y$31$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy', /cost 31, which must be from 4 to 15/],
    ['$2y$03$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy', /cost 3,/],
    ['$argon2id$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4', /damaged argon2/],
  ];
  for (const [hash, reason] of mistakes) {
    test(`is told without the hash itself: ${hash.slice(0, 12)}`, () => {
      const mistake = passwordHashMistake(hash) ?? '';
      assert.match(mistake, reason);
      if (hash.length > 8) assert.ok(!mistake.includes(hash));
    });
  }

  test('says from which Node.js on argon2 can be checked', () => {
    const hash = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
    assert.match(passwordHashMistake(hash, false) ?? '', /24\.7 or newer/);
    assert.equal(passwordHashMistake(hash, true), undefined);
    assert.match(passwordHashMistake(hash.replace('m=256', 'm=9999999'), true) ?? '', /beyond/);
  });
});
