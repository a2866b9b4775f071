/*
 * Names that carry a hash of the contents, so that the file behind a name never changes. Taking an ordinary name for one
 * of these costs its visitors a year of a stale file; the other mistake costs a revalidation. So in doubt it is none.
 */

// Django's manifest storage, webpack, Parcel, older Angular: `base.5af66c1b1797.css`, `main.8e3ad1f2.chunk.js`.
const dotHex = /(?:^|[^.])\.([0-9a-f]{8,32})(?:\.chunk|\.bundle|\.module|\.min|\.worker)?(?:\.[A-Za-z0-9]{1,12}){1,2}$/;
// Sprockets, Next.js: `application-<64 hex>.css`, `framework-<16 hex>.js`.
const dashHex = /-([0-9a-f]{16,64})(?:\.chunk|\.min)?(?:\.[A-Za-z0-9]{1,12}){1,2}$/;
// webpack 5 asset modules: the hash is the whole name. Not 32 digits: that may be a random UUID of an upload.
const bareHex = /^([0-9a-f]{20})(?:\.[A-Za-z0-9]{1,12}){1,2}$/;
// Vite and Rollup (base64url), esbuild and Angular (base 32 in capitals).
const dashBase64 = /.-([A-Za-z0-9_-]{8})(?:\.chunk|\.min)?(?:\.[A-Za-z0-9]{1,12}){1,2}$/;

// Where Vite puts what it builds; here a hash needs less proof.
const assetsFolder = /(?:^|\/)(?:assets|_app\/immutable)\//;

/** Whether a path's file name carries a content hash. @param path with slashes, relative to the root */
export function isHashedName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  for (const pattern of [dotHex, dashHex, bareHex]) {
    const hash = pattern.exec(name)?.[1];
    if (hash !== undefined && isMixedHex(hash)) return true;
  }
  const hash = dashBase64.exec(name)?.[1];
  return hash !== undefined && looksRandom(hash, assetsFolder.test(path) ? 3 : 4);
}

/** Digits alone are a date or a number, letters alone may be a word. One hash in 280 of twelve digits is missed. */
function isMixedHex(text: string): boolean {
  return /\d/.test(text) && /[a-f]/.test(text);
}

// A capitalised or small word, a run of capitals, a number.
const word = /[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+/g;

/**
 * Whether eight characters are more broken up than names that people write: `MyModule` and `HTML5Doc` fall into two
 * and three words, `1024x768` into three; `BwX3k9Qa` into six. Of real hashes two in three are that, in Vite's
 * folder seven in ten.
 */
function looksRandom(text: string, fewestWords: number): boolean {
  const words = text.match(word) ?? [];
  const hasDigit = /\d/.test(text);
  const hasCapital = /[A-Z]/.test(text);
  const hasSmall = /[a-z]/.test(text);
  // One case only: hexadecimal, or the base 32 of esbuild. `15x10x22` and `to-slf4j` are neither.
  if (!hasCapital || !hasSmall) return hasDigit && words.length >= 4 && /^(?:[0-9a-f]+|[A-Z2-7]+)$/.test(text);
  // People put hyphens between words: `iD4-0003`, `10-Jan24`.
  if (/[-_]/.test(text)) return words.length >= 5;
  if (words.some((part) => /[a-z]{4}/i.test(part) && (part.length > 4 || /[aeiou]/i.test(part)))) return false;
  return words.length >= fewestWords;
}
