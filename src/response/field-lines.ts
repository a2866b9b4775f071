/**
 * `\r\nname: value` lines as made by `serializeFields`, without those of some names.
 * @param names in lower case
 */
export function linesWithout(lines: Buffer, names: readonly string[]): Buffer {
  const kept = lines.toString('latin1').split('\r\n');
  return Buffer.from(kept.filter((line) => !names.includes(fieldName(line))).join('\r\n'), 'latin1');
}

/** Of `\r\nname: value` lines those of some names (lower case). */
export function linesNamed(lines: Buffer, names: readonly string[]): Buffer {
  const kept = lines
    .toString('latin1')
    .split('\r\n')
    .filter((line) => names.includes(fieldName(line)));
  return Buffer.from(kept.map((line) => `\r\n${line}`).join(''), 'latin1');
}

/** Whether one of the lines has that name (lower case). */
export function hasLine(lines: Buffer, name: string): boolean {
  return lines
    .toString('latin1')
    .split('\r\n')
    .some((line) => fieldName(line) === name);
}

/** The value of the first line of that name (lower case), in lower case; undefined without one. */
export function valueOfLine(lines: Buffer, name: string): string | undefined {
  const line = lines
    .toString('latin1')
    .split('\r\n')
    .find((one) => fieldName(one) === name);
  return line
    ?.slice(line.indexOf(':') + 1)
    .trim()
    .toLowerCase();
}

function fieldName(line: string): string {
  return line.slice(0, Math.max(line.indexOf(':'), 0)).toLowerCase();
}
