import type { Preconditions } from '../http/conditional.ts';
import type { HeaderFields } from '../http/header-fields.ts';

/**
 * The fields of a request that matter for files, found in one walk over them. One object is used for every request of a
 * handler: what it says is valid until the next `read`, so never beyond the current call.
 */
export class RequestConditions implements Preconditions {
  acceptEncoding: string | undefined = undefined;
  ifMatch: string | undefined = undefined;
  ifUnmodifiedSince: string | undefined = undefined;
  ifNoneMatch: string | undefined = undefined;
  ifModifiedSince: string | undefined = undefined;
  ifRange: string | undefined = undefined;
  range: string | undefined = undefined;
  /** Whether there is any of them but Accept-Encoding. */
  conditional = false;

  read({ entries }: HeaderFields): void {
    this.acceptEncoding = undefined;
    if (this.conditional) this.clear();
    for (let index = 0; index < entries.length; index += 2) {
      const name = entries[index] ?? '';
      // Comparing lengths first spares comparing most names.
      switch (name.length) {
        case 15:
          if (name === 'accept-encoding') this.acceptEncoding = joined(this.acceptEncoding, entries[index + 1]);
          break;
        case 5:
        case 8:
        case 13:
        case 17:
        case 19:
          this.readCondition(name, entries[index + 1] ?? '');
          break;
      }
    }
  }

  private readCondition(name: string, value: string): void {
    switch (name) {
      case 'range':
        // Two Range fields are a mistake; RFC 9110 allows to ignore it.
        this.range = this.range === undefined ? value : 'none';
        break;
      case 'if-match':
        this.ifMatch = joined(this.ifMatch, value);
        break;
      case 'if-range':
        this.ifRange = joined(this.ifRange, value);
        break;
      case 'if-none-match':
        this.ifNoneMatch = joined(this.ifNoneMatch, value);
        break;
      case 'if-modified-since':
        this.ifModifiedSince = joined(this.ifModifiedSince, value);
        break;
      case 'if-unmodified-since':
        this.ifUnmodifiedSince = joined(this.ifUnmodifiedSince, value);
        break;
      default:
        return;
    }
    this.conditional = true;
  }

  private clear(): void {
    this.ifMatch = undefined;
    this.ifUnmodifiedSince = undefined;
    this.ifNoneMatch = undefined;
    this.ifModifiedSince = undefined;
    this.ifRange = undefined;
    this.range = undefined;
    this.conditional = false;
  }
}

/** Several fields of one name are one list (RFC 9110 section 5.3). */
function joined(former: string | undefined, value: string | undefined): string | undefined {
  return former === undefined ? value : `${former}, ${value ?? ''}`;
}
