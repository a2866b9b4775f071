/*
 * The Huffman code of HPACK (RFC 7541 appendix B). It is canonical: symbols of one length have consecutive codes in their
 * order, so that the lengths say it all.
 */

/** Bits of the code of each byte, and of the end of the string. */
export const codeLengths: readonly number[] = (
  '13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 ' +
  '6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10 ' +
  '13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6 ' +
  '15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28 ' +
  '20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 ' +
  '22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 ' +
  '26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27 ' +
  '20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26 30'
)
  .split(' ')
  .map(Number);

const endOfString = 256;
/** Bit of a transition: the padding may end here, as it is at most seven bits of the end of the string. */
const accepting = 1 << 16;
/** Bit of a transition: a byte is complete, in the lowest eight bits of the upper half. */
const emitting = 1 << 17;
const failed = 0xffff;

interface Node {
  readonly id: number;
  zero: Node | number | undefined;
  one: Node | number | undefined;
  accepts: boolean;
}

/** Transitions by state and half a byte: next state in the low 16 bits, two flags, the byte above them. */
const transitions: Int32Array = buildTransitions();

/** @returns the text (Latin-1), or undefined when the bytes are no such code or are padded wrongly */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Buffer): number | undefined {
  let state = 0;
  let accepts = true;
  let length = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] as number;
    for (let half = 0; half < 2; half++) {
      const nibble = half === 0 ? byte >> 4 : byte & 15;
      const transition = transitions[state * 16 + nibble] as number;
      state = transition & 0xffff;
      if (state === failed) return undefined;
      if ((transition & emitting) !== 0) out[length++] = (transition >>> 18) & 0xff;
      accepts = (transition & accepting) !== 0;
    }
  }
  return accepts ? length : undefined;
}

function buildTransitions(): Int32Array {
  const nodes = buildTree();
  const table = new Int32Array(nodes.length * 16);
  for (const node of nodes) {
    for (let nibble = 0; nibble < 16; nibble++) table[node.id * 16 + nibble] = follow(nodes, node, nibble);
  }
  return table;
}

function follow(nodes: readonly Node[], from: Node, nibble: number): number {
  let node = from;
  let emitted = -1;
  for (let bit = 3; bit >= 0; bit--) {
    const next = ((nibble >> bit) & 1) === 0 ? node.zero : node.one;
    if (next === undefined || next === endOfString) return failed;
    if (typeof next === 'number') {
      // The shortest code has five bits: no more than one byte comes out of four.
      emitted = next;
      node = nodes[0] as Node;
    } else {
      node = next;
    }
  }
  const flags = (node.accepts ? accepting : 0) | (emitted >= 0 ? emitting | (emitted << 18) : 0);
  return node.id | flags;
}

function buildTree(): readonly Node[] {
  const nodes: Node[] = [];
  const make = (): Node => {
    const node: Node = { id: nodes.length, zero: undefined, one: undefined, accepts: false };
    nodes.push(node);
    return node;
  };
  const root = make();
  const symbols = codeLengths.map((_, symbol) => symbol).toSorted((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  let code = 0;
  let former = lengthOf(symbols[0] as number);
  for (const symbol of symbols) {
    const length = lengthOf(symbol);
    code <<= length - former;
    former = length;
    insert(root, code, length, symbol, make);
    code++;
  }
  // Padding is a beginning of the code of ones alone, shorter than a byte.
  let padding: Node | number | undefined = root;
  for (let depth = 0; depth <= 7 && typeof padding === 'object'; depth++) {
    padding.accepts = true;
    padding = padding.one;
  }
  return nodes;
}

function insert(root: Node, code: number, length: number, symbol: number, make: () => Node): void {
  let node = root;
  for (let bit = length - 1; bit > 0; bit--) {
    const side = ((code >>> bit) & 1) === 0 ? 'zero' : 'one';
    let next = node[side];
    if (typeof next !== 'object') {
      next = make();
      node[side] = next;
    }
    node = next;
  }
  node[(code & 1) === 0 ? 'zero' : 'one'] = symbol;
}

function lengthOf(symbol: number): number {
  return codeLengths[symbol] as number;
}
