/**
 * The name that was probably meant: the one fewest edits away, if they are few enough for a slip of the hand.
 * Upper and lower case, `-` and `_` count as the same.
 */
export function closestName(name: string, names: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 3));
  let best: string | undefined;
  let fewest = most + 1;
  for (const candidate of names) {
    const edits = editDistance(fold(name), fold(candidate));
    if (edits < fewest) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

function fold(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one name into the other. */
function editDistance(from: string, to: string): number {
  // Long values are no slip of the hand, and the table grows with the product of the lengths.
  if (from.length > 100 || to.length > 100) return Number.POSITIVE_INFINITY;
  let previous: number[] = [];
  let current = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const beforePrevious = previous;
    previous = current;
    current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = at(previous, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      let edits = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, replaced);
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) edits = Math.min(edits, at(beforePrevious, column - 2) + 1);
      current.push(edits);
    }
  }
  return at(current, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? 0;
}
