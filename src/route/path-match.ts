const slash = 0x2f;

/**
 * A radix tree over configured paths: finds the exact one and the longest prefix in one walk over a path, whatever the
 * number of routes, without allocating. Built once; not changed while it is used.
 */
export class PathTree<T> {
  private readonly root = new PathNode<T>('');
  /** Where a walk begins: behind what all paths have in common, the slash at least. */
  private start = this.root;

  addExact(path: string, value: T): void {
    const node = this.root.insert(path);
    node.exact = node.exact === undefined ? [value] : [...node.exact, value];
  }

  /** @param prefix `/api/` takes what begins so; `/api` itself too, and what goes on with a slash */
  addPrefix(prefix: string, value: T): void {
    const node = this.root.insert(prefix);
    node.below = prefix.endsWith('/');
    node.prefix = node.prefix === undefined ? [value] : [...node.prefix, value];
  }

  /** Called once, when everything was added. Links each prefix with the next shorter one that takes the same paths. */
  finish(): void {
    this.root.link([]);
    this.start = this.root.only ?? this.root;
  }

  /** Values in order: of the exact path, of the longest prefix, of shorter ones; each list in the order of adding. */
  find(path: string): PathMatch<T> | undefined {
    let node: PathNode<T> | undefined = this.start;
    let longest: PathNode<T> | undefined;
    if (!path.startsWith(node.text)) return undefined;
    let position = node.text.length;
    for (;;) {
      if (node.prefix !== undefined && (node.below || endsSegment(path, position))) longest = node;
      if (position === path.length) return node.exactMatch ?? longest;
      node = node.child(path.charCodeAt(position));
      if (node === undefined || !path.startsWith(node.text, position)) return longest;
      position += node.text.length;
    }
  }
}

/** Values for a path, and where to look when none of them suits. */
export interface PathMatch<T> {
  readonly values: readonly T[];
  readonly shorter: PathMatch<T> | undefined;
}

function endsSegment(path: string, position: number): boolean {
  return position === path.length || path.charCodeAt(position) === slash;
}

class PathNode<T> implements PathMatch<T> {
  /** What stands between the parent and this node. */
  text: string;
  /** Values of the path that ends here, taken whole. */
  exact: T[] | undefined;
  /** Values of the prefix that ends here. */
  prefix: T[] | undefined;
  /** Whether the prefix ends in a slash, so that what follows is below it whatever it is. */
  below = false;
  shorter: PathNode<T> | undefined;
  /** The exact values, and behind them the longest prefix of the same path. */
  exactMatch: PathMatch<T> | undefined;
  /** Undefined where nothing follows: most nodes are leaves, and a request should not have to look into an empty map. */
  private children: Map<number, PathNode<T>> | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get values(): readonly T[] {
    return this.prefix ?? [];
  }

  /** The one node that everything from here leads to; undefined where something ends here. */
  get only(): PathNode<T> | undefined {
    if (this.prefix !== undefined || this.exact !== undefined || this.children?.size !== 1) return undefined;
    return this.children.values().next().value;
  }

  child(code: number): PathNode<T> | undefined {
    return this.children?.get(code);
  }

  /** The node at that path below this one, made if it is not there. */
  insert(path: string): PathNode<T> {
    if (path === '') return this;
    const code = path.charCodeAt(0);
    const children = (this.children ??= new Map<number, PathNode<T>>());
    const child = children.get(code);
    if (child === undefined) {
      const leaf = new PathNode<T>(path);
      children.set(code, leaf);
      return leaf;
    }
    const shared = sharedLength(child.text, path);
    if (shared === child.text.length) return child.insert(path.slice(shared));
    const fork = new PathNode<T>(path.slice(0, shared));
    child.text = child.text.slice(shared);
    fork.children = new Map([[child.text.charCodeAt(0), child]]);
    children.set(code, fork);
    return fork.insert(path.slice(shared));
  }

  /** @param above the prefixes on the way to this node, shortest first */
  link(above: readonly PathNode<T>[]): void {
    this.shorter = above.at(-1);
    const prefixes = this.prefix === undefined ? above : [...above, this];
    if (this.exact !== undefined) this.exactMatch = { values: this.exact, shorter: prefixes.at(-1) };
    for (const [code, child] of this.children ?? []) {
      // `/api` takes nothing that goes on without a slash.
      child.link(code === slash ? prefixes : prefixes.filter((node) => node.below || node !== this));
    }
  }
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
