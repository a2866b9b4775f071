export const tab = 0x09;
export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
export const space = 0x20;
export const quote = 0x22;
export const colon = 0x3a;
export const semicolon = 0x3b;
export const equals = 0x3d;
export const backslash = 0x5c;

/** The lower-case form of each byte that may stand in a token (RFC 9110 section 5.6.2); 0 for every other byte. */
export const tokenLowerCase: Uint8Array = makeTokenTable();

/** 1 for each byte that may stand in a field value or reason phrase (RFC 9110 section 5.5): tab, space, visible, 0x80 up. */
export const fieldValueByte: Uint8Array = makeValueTable();

/** The value of each hexadecimal digit, 255 for every other byte. */
export const hexValue: Uint8Array = makeHexTable();

function makeTokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
    const byte = character.charCodeAt(0);
    table[byte] = byte;
    table[character.toUpperCase().charCodeAt(0)] = byte;
  }
  return table;
}

function makeValueTable(): Uint8Array {
  const table = new Uint8Array(256).fill(1, space);
  table[tab] = 1;
  table[0x7f] = 0;
  return table;
}

function makeHexTable(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (let value = 0; value < 16; value++) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}
