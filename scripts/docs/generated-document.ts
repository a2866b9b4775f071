/** A page under docs/ that is written from the code, so that it cannot fall behind it. */
export interface GeneratedDocument {
  /** Path from the top of the project. */
  readonly path: string;
  readonly render: () => string;
}

/** First line of each page. */
export const generatedNotice = '<!-- Written by `npm run docs` from the source code: change that instead. -->';

/** A Markdown table; line breaks and bars in cells are escaped. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [tableLine(heads), `|${' --- |'.repeat(heads.length)}`, ...rows.map(tableLine)].join('\n');
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.map(escapeCell).join(' | ')} |`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
