import { PathForest, type PathMatch, type PlantedNode } from './path-forest.ts';

const slash = 0x2f;

/**
 * A radix tree over configured paths: finds the exact one and the longest prefix in one walk over a path, whatever the
 * number of routes, without allocating. Built once; not changed while it is used.
 */
export class PathTree<T> {
  private readonly forest: PathForest<T>;
  private root: PathNode<T> | undefined = new PathNode<T>('');
  /** Where a walk begins: behind what all paths have in common, the slash at least. */
  private place = 0;

  /** @param forest where the tree is to stand, with others that are asked for in turn */
  constructor(forest: PathForest<T> = new PathForest<T>()) {
    this.forest = forest;
  }

  addExact(path: string, value: T): void {
    this.nodeAt(path).exact.push(value);
  }

  /** @param prefix `/api/` takes what begins so; `/api` itself too, and what goes on with a slash */
  addPrefix(prefix: string, value: T): void {
    const node = this.nodeAt(prefix);
    node.below = prefix.endsWith('/');
    node.prefix.push(value);
  }

  /** Called once, when everything was added. Links each prefix with the next shorter one that takes the same paths. */
  finish(): void {
    if (this.root === undefined) return;
    const whole = this.root.linked([]);
    const [only, second] = whole.children;
    const isBare =
      only !== undefined && second === undefined && whole.prefix === undefined && whole.exact === undefined;
    this.place = this.forest.plant(isBare ? only : whole);
    this.root = undefined;
  }

  /** Values in order: of the exact path, of the longest prefix, of shorter ones; each list in the order of adding. */
  find(path: string): PathMatch<T> | undefined {
    return this.forest.find(this.place, path);
  }

  private nodeAt(path: string): PathNode<T> {
    if (this.root === undefined) throw new Error('the tree is finished');
    return this.root.insert(path);
  }
}

/** A prefix on the way to a node, with the values that it leads to. */
interface PrefixAbove<T> {
  readonly below: boolean;
  readonly match: PathMatch<T>;
}

class PathNode<T> {
  text: string;
  /** Values of the path that ends here, taken whole. */
  readonly exact: T[] = [];
  /** Values of the prefix that ends here. */
  readonly prefix: T[] = [];
  below = false;
  private readonly children = new Map<number, PathNode<T>>();

  constructor(text: string) {
    this.text = text;
  }

  /** The node at that path below this one, made if it is not there. */
  insert(path: string): PathNode<T> {
    if (path === '') return this;
    const code = path.charCodeAt(0);
    const child = this.children.get(code);
    if (child === undefined) {
      const leaf = new PathNode<T>(path);
      this.children.set(code, leaf);
      return leaf;
    }
    const shared = sharedLength(child.text, path);
    if (shared === child.text.length) return child.insert(path.slice(shared));
    const fork = new PathNode<T>(path.slice(0, shared));
    child.text = child.text.slice(shared);
    fork.children.set(child.text.charCodeAt(0), child);
    this.children.set(code, fork);
    return fork.insert(path.slice(shared));
  }

  /** @param above the prefixes on the way to this node, shortest first */
  linked(above: readonly PrefixAbove<T>[]): PlantedNode<T> {
    const own = matchOf(this.prefix, above);
    const prefixes = own === undefined ? above : [...above, { below: this.below, match: own }];
    const exact = matchOf(this.exact, prefixes);
    const children = [...this.children].map(([code, child]) =>
      // `/api` takes nothing that goes on without a slash.
      child.linked(code === slash ? prefixes : prefixes.filter(({ below, match }) => below || match !== own)),
    );
    return { text: this.text, exact, prefix: own, below: this.below, children };
  }
}

function matchOf<T>(values: readonly T[], above: readonly PrefixAbove<T>[]): PathMatch<T> | undefined {
  const [first] = values;
  return first === undefined ? undefined : { first, values, shorter: above.at(-1)?.match };
}

function sharedLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length += 1;
  return length;
}
