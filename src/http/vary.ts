/** More names than any honest server sends; a field with more is taken for `*`. */
const maxNames = 32;

/**
 * Reads the Vary field (RFC 9110 section 12.5.5).
 * @param values of all fields of that name
 * @returns names in lower case, sorted, each once; `*` when anything may have had an influence, also when a member is no
 *   field name at all
 */
export function parseVary(values: readonly string[]): string[] | '*' {
  const names: string[] = [];
  for (const value of values) {
    for (const member of value.split(',', maxNames + 1)) {
      const name = member.trim().toLowerCase();
      if (name === '' || names.includes(name)) continue;
      if (name === '*' || names.length === maxNames || !isFieldName(name)) return '*';
      names.push(name);
    }
  }
  return names.sort();
}

function isFieldName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || '"(),/:;<=>?@[\\]{}*'.includes(name.charAt(at))) return false;
  }
  return true;
}
