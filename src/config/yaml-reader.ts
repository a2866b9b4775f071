import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  Scalar,
  type YAMLMap,
} from 'yaml';
import { retypeScalar, substituteEnvironment } from './environment-reference.ts';
import { type Finding, quote } from './finding.ts';
import type { KeyPath } from './schema-walk.ts';

/** Aliases multiply: a few lines can stand for billions of values. No real configuration comes near. */
const mostValues = 100_000;
const deepest = 100;

interface Position {
  readonly key: number | undefined;
  readonly value: number;
}

/** Turns a YAML document into plain data and remembers where each value stands. */
export class YamlReader {
  readonly findings: Finding[] = [];
  private readonly document: Document.Parsed;
  private readonly environment: NodeJS.ProcessEnv;
  private readonly positions = new Map<string, Position>();
  private readonly aliasTargets = new Map<Alias, Node>();
  private values = 0;
  /** Reading stopped: nothing can be said of the rest. */
  tooLarge = false;

  constructor(document: Document.Parsed, environment: NodeJS.ProcessEnv) {
    this.document = document;
    this.environment = environment;
  }

  read(): unknown {
    const { contents } = this.document;
    return contents === null ? undefined : this.readNode(contents, [], undefined);
  }

  /** The offset of a key or value; of what is nearest above it when it is not there. */
  offsetOf(path: KeyPath, at: Finding['at']): number {
    for (let length = path.length; length >= 0; length--) {
      const position = this.positions.get(identify(path.slice(0, length)));
      if (!position) continue;
      // What is missing is missing under the key above.
      const wantKey = at === 'key' || length < path.length;
      return wantKey ? (position.key ?? position.value) : position.value;
    }
    return 0;
  }

  private readNode(node: unknown, path: KeyPath, keyOffset: number | undefined): unknown {
    this.positions.set(identify(path), { key: keyOffset, value: startOf(node) ?? keyOffset ?? 0 });
    if (++this.values > mostValues || path.length > deepest) return this.refuseSize(path);
    if (isAlias(node)) {
      const target = this.resolveAlias(node);
      if (target) return this.readNode(target, path, keyOffset);
      this.report(path, `unknown anchor ${quote(node.source)}`, quote(`*${node.source}`), 'an anchor set above');
      return undefined;
    }
    if (isScalar(node)) return this.readScalar(node, path);
    if (isSeq(node)) {
      return node.items.map((item, index) => this.readNode(item, [...path, index], undefined));
    }
    if (isMap(node)) return this.readMap(node, path);
    return null;
  }

  private readScalar(node: Scalar, path: KeyPath): unknown {
    if (typeof node.value !== 'string') return node.value;
    const { text, mistakes } = substituteEnvironment(node.value, this.environment);
    for (const mistake of mistakes) this.report(path, mistake.message, mistake.found, mistake.allowed);
    return node.type === Scalar.PLAIN && text !== node.value ? retypeScalar(text) : text;
  }

  private readMap(map: YAMLMap, path: KeyPath): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    const merged: unknown[] = [];
    for (const { key, value } of map.items) {
      if (isMergeKey(key)) {
        merged.push(value);
        continue;
      }
      const name = this.nameOf(key, path);
      if (name === undefined) continue;
      entries.set(name, this.readNode(value, [...path, name], startOf(key)));
    }
    for (const source of merged) this.mergeInto(entries, source, path);
    // fromEntries defines own properties, `__proto__` among them.
    return Object.fromEntries(entries);
  }

  /** `<<: *defaults`: the keys of another mapping, or of several, where this one does not have them. */
  private mergeInto(entries: Map<string, unknown>, source: unknown, path: KeyPath, depth = 0): void {
    const target = isAlias(source) ? this.resolveAlias(source) : source;
    if (++this.values > mostValues || depth > deepest) {
      this.refuseSize(path);
    } else if (isSeq(target)) {
      for (const item of target.items) this.mergeInto(entries, item, path, depth + 1);
    } else if (isMap(target)) {
      for (const pair of target.items) {
        if (isMergeKey(pair.key)) this.mergeInto(entries, pair.value, path, depth + 1);
        const name = isMergeKey(pair.key) ? undefined : this.nameOf(pair.key, path);
        if (name !== undefined && !entries.has(name)) {
          entries.set(name, this.readNode(pair.value, [...path, name], startOf(pair.key)));
        }
      }
    } else {
      this.report(path, 'wrong value for <<', 'no mapping', 'an alias of a mapping, or a list of such aliases');
    }
  }

  /** A number such as 404 is as good a name as text. */
  private nameOf(key: unknown, path: KeyPath): string | undefined {
    const value = isScalar(key) ? key.value : undefined;
    const isName = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    // Objects take `__proto__` for something else, so it would get lost on the way.
    if (isName && value !== '__proto__') return String(value);
    const found = isName ? quote(String(value)) : 'a key that is no text';
    this.report(path, `wrong key: ${found}`, found, 'text other than "__proto__"');
    return undefined;
  }

  private resolveAlias(alias: Alias): Node | undefined {
    let target = this.aliasTargets.get(alias);
    if (!target) {
      target = alias.resolve(this.document);
      if (target) this.aliasTargets.set(alias, target);
    }
    return target;
  }

  private refuseSize(path: KeyPath): undefined {
    if (!this.tooLarge) {
      this.tooLarge = true;
      const found = this.values > mostValues ? `more than ${mostValues} values` : `more than ${deepest} levels`;
      const message = `too large, with its aliases followed: ${found}`;
      this.report(path.slice(0, 1), message, found, `at most ${mostValues} values, ${deepest} levels deep`);
    }
    return undefined;
  }

  private report(path: KeyPath, message: string, found: string, allowed: string): void {
    this.findings.push({ path, at: 'value', message, found, allowed });
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

function identify(path: KeyPath): string {
  return JSON.stringify(path);
}
