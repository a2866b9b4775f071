import { FieldNameTable } from '../upstream/field-name-table.ts';
import { ForwardedFields, forwardedFieldNames } from './forwarded-fields.ts';
import { LinePrefixes } from './line-prefixes.ts';
import { RequestFieldRules } from './request-field-rules.ts';

/** What stands before the fields that are passed on, for clients and for trusted proxies. */
export interface RequestLines {
  readonly ofClients: LinePrefixes;
  readonly ofProxies: LinePrefixes;
}

/**
 * What is worked out about the names of fields, once for all routes that say the same about them. Of thousands of routes
 * nearly all do; with tables of its own for each, every request would find those of its route outside the processor's cache.
 */
export class FieldTables {
  private readonly requests = new Map<string, RequestLines>();
  private readonly forwards = new Map<string, ForwardedFields>();
  private readonly responses = new Map<string, FieldNameTable>();

  /** @param changed names in lower case of request fields that are not passed on, besides those that never are */
  requestLines(changed: readonly string[]): RequestLines {
    return known(this.requests, keyOf(changed), () => {
      const rules = new RequestFieldRules(changed);
      return { ofClients: new LinePrefixes(rules, false), ofProxies: new LinePrefixes(rules, true) };
    });
  }

  /** As the constructor of `ForwardedFields`. */
  forwarded(standard: boolean, changed: ReadonlySet<string>): ForwardedFields {
    const key = `${standard} ${keyOf(forwardedFieldNames.filter((name) => changed.has(name)))}`;
    return known(this.forwards, key, () => new ForwardedFields(standard, changed));
  }

  /** As the constructor of `FieldNameTable`. */
  responseNames(removed: ReadonlySet<string>, directives: readonly string[]): FieldNameTable {
    const key = `${keyOf(removed)};${keyOf(directives)}`;
    return known(this.responses, key, () => new FieldNameTable(removed, directives));
  }
}

/** Names of fields have neither commas nor semicolons (RFC 9110 section 5.6.2). */
function keyOf(names: Iterable<string>): string {
  return [...new Set(names)].toSorted().join(',');
}

function known<T>(all: Map<string, T>, key: string, make: () => T): T {
  let found = all.get(key);
  if (found === undefined) all.set(key, (found = make()));
  return found;
}
