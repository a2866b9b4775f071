/** Values for a path, and where to look when none of them suits. */
export interface PathMatch<T> {
  /** The first of `values`. */
  readonly first: T;
  readonly values: readonly T[];
  readonly shorter: PathMatch<T> | undefined;
}

/** What `PathTree` writes a node from. */
export interface PlantedNode<T> {
  /** What stands between the parent and this node. */
  readonly text: string;
  /** For the path that ends here. */
  readonly exact: PathMatch<T> | undefined;
  /** For paths that begin with the one that ends here. */
  readonly prefix: PathMatch<T> | undefined;
  /** Whether that prefix ends in a slash, so that what follows is below it whatever it is. */
  readonly below: boolean;
  readonly children: readonly PlantedNode<T>[];
}

const slash = 0x2f;
const none = -1;
// A node: these cells, the codes of its text, and for each child the code it begins with and its place, in the order of the codes.
const textLengthCell = 0;
const childCountCell = 1;
const prefixCell = 2;
const belowCell = 3;
const exactCell = 4;
const fixedCells = 5;

/**
 * Radix trees, all in one array of numbers. With thousands of hosts, what a request walks through is in none of the processor's caches; the
 * nodes of one tree lie side by side here, where as objects each would be in a place of its own, with its text and its
 * children in further ones.
 */
export class PathForest<T> {
  private cells = new Int32Array(256);
  private used = 0;
  private readonly matches: PathMatch<T>[] = [];

  /** @returns the place of the node, for `find` */
  plant(node: PlantedNode<T>): number {
    const { text } = node;
    const children = node.children.toSorted((a, b) => a.text.charCodeAt(0) - b.text.charCodeAt(0));
    const at = this.take(fixedCells + text.length + 2 * children.length);
    this.cells[at + textLengthCell] = text.length;
    this.cells[at + childCountCell] = children.length;
    this.cells[at + prefixCell] = this.keep(node.prefix);
    this.cells[at + belowCell] = node.below ? 1 : 0;
    this.cells[at + exactCell] = this.keep(node.exact);
    for (let index = 0; index < text.length; index++) this.cells[at + fixedCells + index] = text.charCodeAt(index);
    let place = at + fixedCells + text.length;
    for (const child of children) {
      this.cells[place] = child.text.charCodeAt(0);
      const planted = this.plant(child);
      this.cells[place + 1] = planted;
      place += 2;
    }
    return at;
  }

  /** Values of the exact path, or of the longest prefix. Allocates nothing. */
  find(root: number, path: string): PathMatch<T> | undefined {
    const { cells } = this;
    let longest = none;
    let position = 0;
    for (let at = root; at !== none; at = this.childOf(at, path.charCodeAt(position))) {
      const textLength = cells[at + textLengthCell] as number;
      const text = at + fixedCells;
      // Beyond the end of the path there is no code, which is equal to none.
      for (let index = 0; index < textLength; index++) {
        if (path.charCodeAt(position + index) !== cells[text + index]) return this.matchOf(longest);
      }
      position += textLength;
      const prefix = cells[at + prefixCell] as number;
      if (prefix !== none && (cells[at + belowCell] === 1 || endsSegment(path, position))) longest = prefix;
      if (position === path.length) {
        const exact = cells[at + exactCell] as number;
        return this.matchOf(exact === none ? longest : exact);
      }
    }
    return this.matchOf(longest);
  }

  private matchOf(index: number): PathMatch<T> | undefined {
    return index === none ? undefined : this.matches[index];
  }

  private childOf(at: number, code: number): number {
    const { cells } = this;
    const first = at + fixedCells + (cells[at + textLengthCell] as number);
    let low = 0;
    let high = (cells[at + childCountCell] as number) - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = cells[first + 2 * middle] as number;
      if (found === code) return cells[first + 2 * middle + 1] as number;
      if (found < code) low = middle + 1;
      else high = middle - 1;
    }
    return none;
  }

  private keep(match: PathMatch<T> | undefined): number {
    return match === undefined ? none : this.matches.push(match) - 1;
  }

  private take(count: number): number {
    const at = this.used;
    this.used += count;
    if (this.used > this.cells.length) {
      const larger = new Int32Array(Math.max(this.used, 2 * this.cells.length));
      larger.set(this.cells);
      this.cells = larger;
    }
    return at;
  }
}

function endsSegment(path: string, position: number): boolean {
  return position === path.length || path.charCodeAt(position) === slash;
}
