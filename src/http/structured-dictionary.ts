/** An item of a Structured Field (RFC 8941 section 3.3), without its parameters. */
export type StructuredItem =
  | { readonly type: 'integer' | 'decimal'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'bytes'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'list'; readonly value: readonly StructuredItem[] };

/**
 * Reads a Dictionary (RFC 8941 section 4.2.2), as strictly as that says: one fault and the field counts for nothing.
 * Parameters are checked and left out. Of members of one name the last counts.
 * @returns undefined when it breaks the grammar
 */
export function parseStructuredDictionary(field: string): Map<string, StructuredItem> | undefined {
  return new DictionaryReader(field).read();
}

const maxMembers = 1024;

class DictionaryReader {
  private readonly text: string;
  private at = 0;
  private failed = false;

  constructor(text: string) {
    this.text = text;
  }

  read(): Map<string, StructuredItem> | undefined {
    const members = new Map<string, StructuredItem>();
    this.skip(' ');
    while (this.at < this.text.length && members.size < maxMembers) {
      const key = this.key();
      let item: StructuredItem = { type: 'boolean', value: true };
      if (this.take('=')) item = this.peek() === '(' ? this.innerList() : this.bareItem();
      this.parameters();
      if (this.failed) return undefined;
      members.delete(key);
      members.set(key, item);
      this.skip(' \t');
      if (this.at === this.text.length) return members;
      if (!this.take(',')) return undefined;
      this.skip(' \t');
      // A comma at the end.
      if (this.at === this.text.length) return undefined;
    }
    return this.at < this.text.length ? undefined : members;
  }

  private innerList(): StructuredItem {
    const value: StructuredItem[] = [];
    this.at++;
    while (!this.failed) {
      const before = this.at;
      this.skip(' ');
      if (this.take(')')) return { type: 'list', value };
      if (value.length > 0 && before === this.at) break;
      value.push(this.bareItem());
      this.parameters();
    }
    return this.fault();
  }

  private parameters(): void {
    while (!this.failed && this.take(';')) {
      this.skip(' ');
      this.key();
      if (this.take('=')) this.bareItem();
    }
  }

  private key(): string {
    const start = this.at;
    if (!isKeyStart(this.peek())) this.fault();
    while (isKeyRest(this.peek())) this.at++;
    return this.text.slice(start, this.at);
  }

  private bareItem(): StructuredItem {
    const first = this.peek();
    if (first === '"') return this.string();
    if (first === ':') return this.bytes();
    if (first === '?') return this.boolean();
    if (first === '-' || isDigit(first)) return this.number();
    if (first === '*' || isLetter(first)) return this.token();
    return this.fault();
  }

  private number(): StructuredItem {
    const start = this.at;
    this.take('-');
    const whole = this.digits();
    const isDecimal = this.take('.');
    const fraction = isDecimal ? this.digits() : 0;
    const value = Number(this.text.slice(start, this.at));
    if (!isDecimal) return whole > 0 && whole <= 15 ? { type: 'integer', value } : this.fault();
    const valid = whole > 0 && whole <= 12 && fraction > 0 && fraction <= 3;
    return valid ? { type: 'decimal', value } : this.fault();
  }

  private digits(): number {
    const start = this.at;
    while (isDigit(this.peek())) this.at++;
    return this.at - start;
  }

  private string(): StructuredItem {
    let value = '';
    for (this.at++; this.at < this.text.length; this.at++) {
      let character = this.peek();
      if (character === '"') {
        this.at++;
        return { type: 'string', value };
      }
      if (character < ' ' || character > '~') return this.fault();
      if (character === '\\') {
        this.at++;
        character = this.peek();
        if (character !== '"' && character !== '\\') return this.fault();
      }
      value += character;
    }
    return this.fault();
  }

  private bytes(): StructuredItem {
    const end = this.text.indexOf(':', this.at + 1);
    if (end < 0) return this.fault();
    const value = this.text.slice(this.at + 1, end);
    for (const character of value) if (!isBase64(character)) return this.fault();
    this.at = end + 1;
    return { type: 'bytes', value };
  }

  private boolean(): StructuredItem {
    const digit = this.text[this.at + 1];
    if (digit !== '0' && digit !== '1') return this.fault();
    this.at += 2;
    return { type: 'boolean', value: digit === '1' };
  }

  private token(): StructuredItem {
    const start = this.at;
    while (isTokenRest(this.peek())) this.at++;
    return { type: 'token', value: this.text.slice(start, this.at) };
  }

  private peek(): string {
    return this.text[this.at] ?? '';
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private skip(blanks: string): void {
    while (this.at < this.text.length && blanks.includes(this.peek())) this.at++;
  }

  private fault(): StructuredItem {
    this.failed = true;
    return { type: 'boolean', value: false };
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character !== '';
}

function isLetter(character: string): boolean {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

function isKeyStart(character: string): boolean {
  return (character >= 'a' && character <= 'z') || character === '*';
}

function isKeyRest(character: string): boolean {
  return isKeyStart(character) || isDigit(character) || (character !== '' && '_-.'.includes(character));
}

function isTokenRest(character: string): boolean {
  return isLetter(character) || isDigit(character) || (character !== '' && "!#$%&'*+-.^_`|~:/".includes(character));
}

function isBase64(character: string): boolean {
  return isLetter(character) || isDigit(character) || '+/='.includes(character);
}
