import { escapeHtml } from '../response/html.ts';
import { responseHead } from '../response/response-head.ts';
import type { ReadyResponse } from './cache-entry.ts';
import type { Disk } from './disk.ts';
import type { FieldLines } from './field-lines.ts';
import type { FileResolver } from './file-resolver.ts';
import { isHidden } from './static-path.ts';

/** Most names shown. What lies beyond is left out, and the page says so. */
const maxItems = 10_000;
/** Files looked at at a time. */
const batchSize = 32;

interface ListedItem {
  readonly name: string;
  readonly type: 'directory' | 'file';
  /** ISO 8601. */
  readonly modified: string;
  readonly size: number;
}

interface Listed {
  readonly items: readonly ListedItem[];
  readonly truncated: boolean;
}

/** Lists folders as HTML and as JSON: folders first, by name, without hidden files and what may not be served. */
export class DirectoryListing {
  private readonly disk: Disk;
  private readonly resolver: FileResolver;
  private readonly lines: FieldLines;

  constructor(disk: Disk, resolver: FileResolver, lines: FieldLines) {
    this.disk = disk;
    this.resolver = resolver;
    this.lines = lines;
  }

  /**
   * @param path real folder
   * @param title decoded path shown to the reader
   * @param isRoot whether there is nothing above it to go to
   * @throws what the disk says
   */
  async render(path: string, title: string, isRoot: boolean): Promise<{ html: ReadyResponse; json: ReadyResponse }> {
    const listed = await this.list(path);
    return {
      html: this.ready('text/html; charset=utf-8', htmlPage(listed, title, isRoot)),
      json: this.ready('application/json; charset=utf-8', `${JSON.stringify(listed.items)}\n`),
    };
  }

  private async list(path: string): Promise<Listed> {
    const entries = await this.disk.readFolder(path);
    // A name that is not UTF-8 has a replacement character in it: no address leads to it.
    const names = entries
      .map((entry) => entry.name)
      .filter((name) => !isHidden(name) && !name.includes('\ufffd') && !name.includes('\\'))
      .toSorted();
    const items: ListedItem[] = [];
    for (let start = 0; start < names.length && items.length < maxItems; start += batchSize) {
      const batch = names.slice(start, start + batchSize).map((name) => this.look(path, name));
      for (const item of await Promise.all(batch)) if (item !== undefined) items.push(item);
    }
    const shown = items.slice(0, maxItems);
    const folders = shown.filter((item) => item.type === 'directory');
    const files = shown.filter((item) => item.type === 'file');
    return { items: [...folders, ...files], truncated: names.length > maxItems };
  }

  /** Undefined for what could not be served: a link out of the root, a socket, a file that went away. */
  private async look(folder: string, name: string): Promise<ListedItem | undefined> {
    const path = `${folder}/${name}`;
    try {
      const stats = await this.disk.stat(path);
      if (!stats.isFile() && !stats.isDirectory()) return undefined;
      if ((await this.resolver.realPathWithin(path)) === undefined) return undefined;
      const type = stats.isDirectory() ? 'directory' : 'file';
      return { name, type, modified: stats.mtime.toISOString(), size: type === 'file' ? Number(stats.size) : 0 };
    } catch {
      return undefined;
    }
  }

  private ready(contentType: string, text: string): ReadyResponse {
    const fields = this.lines.serialize([
      ['Content-Type', contentType],
      ['Cache-Control', 'no-cache'],
      ['Vary', 'Accept'],
      // Names are other people's text: even an escape forgotten could run nothing.
      ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"],
    ]);
    return { head: responseHead(200, []).with(Buffer.from(fields, 'latin1')), body: Buffer.from(text) };
  }
}

const style =
  'body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}' +
  'table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem 1rem .2rem 0}' +
  'td:nth-child(n+2){color:#666;font-variant-numeric:tabular-nums}';

function htmlPage({ items, truncated }: Listed, title: string, isRoot: boolean): string {
  const name = escapeHtml(title);
  const up = isRoot ? '' : '<tr><td><a href="../">../</a></td><td></td><td></td></tr>\n';
  const note = truncated ? `<p>Only the first ${maxItems} names are shown.</p>\n` : '';
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${name}</title><style>${style}</style></head>
<body>
<h1>${name}</h1>
<table>
<tr><th>Name</th><th>Modified</th><th>Size</th></tr>
${up}${items.map(htmlRow).join('')}</table>
${note}</body>
</html>
`;
}

function htmlRow({ name, type, modified, size }: ListedItem): string {
  const slash = type === 'directory' ? '/' : '';
  const link = `<a href="./${encodeURIComponent(name)}${slash}">${escapeHtml(name)}${slash}</a>`;
  return `<tr><td>${link}</td><td>${modified}</td><td>${type === 'file' ? size : ''}</td></tr>\n`;
}
