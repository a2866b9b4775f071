import { extname } from 'node:path';
import mime from 'mime';

/** What has no known extension: the client saves it rather than guesses. */
const unknownType = 'application/octet-stream';
const textLike =
  /^(?:text\/.+|application\/(?:javascript|json|json5|manifest\+json|xml|xhtml\+xml|ecmascript|sql|graphql|yaml|toml|rtf)|.+\+(?:json|xml)|image\/svg\+xml)$/;

/** Content-Type by file name: the registry of the `mime` package, with `charset=utf-8` for what is text. */
export class ContentTypes {
  /** Differs between two sets of types that can give different answers. */
  readonly identity: string;
  private readonly known = new Map<string, string>();

  /** @param extra extension without dot to the whole Content-Type value; goes before the registry */
  constructor(extra: Readonly<Record<string, string>> = {}) {
    for (const [extension, type] of Object.entries(extra)) this.known.set(extension.toLowerCase(), type);
    this.identity = JSON.stringify([...this.known].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** @param file a name or path */
  of(file: string): string {
    const extension = extname(file).slice(1).toLowerCase();
    if (extension === '') return unknownType;
    return this.known.get(extension) ?? registeredType(extension);
  }
}

function registeredType(extension: string): string {
  const type = mime.getType(extension);
  if (type === null) return unknownType;
  return textLike.test(type) ? `${type}; charset=utf-8` : type;
}
