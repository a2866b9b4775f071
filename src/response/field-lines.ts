/**
 * `\r\nname: value` lines as made by `serializeFields`, without those of some names.
 * @param names in lower case
 */
export function linesWithout(lines: Buffer, names: readonly string[]): Buffer {
  const kept = lines.toString('latin1').split('\r\n');
  return Buffer.from(kept.filter((line) => !names.includes(fieldName(line))).join('\r\n'), 'latin1');
}

/** Whether one of the lines has that name (lower case). */
export function hasLine(lines: Buffer, name: string): boolean {
  return lines
    .toString('latin1')
    .split('\r\n')
    .some((line) => fieldName(line) === name);
}

function fieldName(line: string): string {
  return line.slice(0, Math.max(line.indexOf(':'), 0)).toLowerCase();
}
