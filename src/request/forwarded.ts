/** One hop as a proxy tells it (RFC 7239 section 4). Parameters that it left out are undefined. */
export interface ForwardedElement {
  readonly for: string | undefined;
  readonly host: string | undefined;
  readonly proto: string | undefined;
}

// A parameter: token "=" ( token / quoted-string ), then what separates it from the next. Sticky: no gaps are skipped.
const parameter =
  /[\t ]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z:[\]]+)|"((?:[^"\\]|\\.)*)")[\t ]*([;,]|$)/y;

/**
 * The elements of a Forwarded field, in the order of the wire: the client's own proxy first, the nearest last.
 * Colons and brackets are taken outside quotes too, because proxies send them so.
 *
 * @returns undefined when the field is malformed: then none of it is believed
 */
export function parseForwarded(field: string): ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = [];
  let parameters = new Map<string, string>();
  parameter.lastIndex = 0;
  for (let end = ''; ; ) {
    const found = parameter.exec(field);
    if (found === null) return undefined;
    const [, name = '', bare, quoted = '', separator = ''] = found;
    const value = bare ?? quoted.replaceAll(/\\(.)/g, '$1');
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), value);
    end = separator;
    if (end === ';') continue;
    elements.push({ for: parameters.get('for'), host: parameters.get('host'), proto: parameters.get('proto') });
    if (end === '') return elements;
    parameters = new Map();
  }
}
