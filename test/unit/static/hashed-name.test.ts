import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isHashedName } from '../../../src/static/hashed-name.ts';

describe('isHashedName', () => {
  for (const name of [
    'admin/css/base.523eb49842a7.css',
    'jquery.min.c9f5aeeca3ad.js',
    'img/icon-yes.d2f9f035226a.svg',
    'main.8e3ad1f2.chunk.js',
    'static/js/787.28cb0dcd.chunk.js.map',
    'app.0123456789abcdef0123456789abcdef.js',
    'a3f9c2e1d4b5a6978899.png',
    'assets/index-BwX3k9Qa.js',
    'index-BwX3k9Qa.js',
    'assets/react-CHdo91hT.svg',
    'index-n_ryQ3BS.css',
    'main-QZ4JF3XA.js',
    'application-1f4b3e5d7a9c0b2d4f6e8a1c3b5d7f90112233445566778899aabbccddeeff00.css',
    '_next/static/chunks/framework-3664cab31236a9fa.js',
  ]) {
    it(`takes ${name} for hashed`, () => assert.equal(isHashedName(name), true));
  }

  for (const name of [
    'index.html',
    'style.css',
    'jquery-3.7.1.min.js',
    'bootstrap.bundle.min.js',
    'my-Dropdown.js',
    'my-component.js',
    'app-MyModule.js',
    'page-Overview.md',
    'guide-HTML5Doc.pdf',
    'book-Chapter1.pdf',
    'wallpaper-1024x768.jpg',
    'report.20260131.csv',
    'report-20260131.csv',
    'backup.202601311530.tar.gz',
    'photo-12345678.jpg',
    'release-v2Beta10.zip',
    'notes-10-Jan24.txt',
    'facade.defaced.css',
    'word.effacedd.css',
    'Audient-iD4-0003.conf',
    'jul-to-slf4j.jar',
    '3f2504e0-4f89-11d3-9a0c-0305e82c3301.pdf',
    '9b2e4f6a8c0d1e3f5a7b9c1d3e5f7a9b.jpg',
    'deadbeef',
    '.523eb49842a7',
    'a1b2c3d4e5f6a7b8/index.html',
    '',
  ]) {
    it(`takes ${name || 'nothing'} for an ordinary name`, () => assert.equal(isHashedName(name), false));
  }
});
