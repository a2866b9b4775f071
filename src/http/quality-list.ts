/** A member of a field such as Accept or Accept-Encoding: what is meant, and how much it is wanted. */
export interface QualityItem {
  /** In lower case; parameters other than `q` cut off. */
  readonly value: string;
  /** Weight in thousandths: 0 means unacceptable, 1000 is the default (RFC 9110 section 12.4.2). */
  readonly quality: number;
}

const weight = /^(?:0(?:\.(\d{0,3}))?|1(?:\.0{0,3})?)$/;
/** More members than any honest client sends; the rest is not read. */
const maxItems = 64;

/** Reads a list with weights. A member whose weight is malformed counts as unacceptable. */
export function parseQualityList(field: string): QualityItem[] {
  const items: QualityItem[] = [];
  for (const member of field.split(',', maxItems)) {
    const [name = '', ...parameters] = member.split(';');
    const value = name.trim().toLowerCase();
    if (value === '') continue;
    let quality = 1000;
    for (const parameter of parameters) {
      const text = parameter.trim();
      if (text.startsWith('q=') || text.startsWith('Q=')) quality = parseWeight(text.slice(2).trim());
    }
    items.push({ value, quality });
  }
  return items;
}

function parseWeight(text: string): number {
  const match = weight.exec(text);
  if (match === null) return 0;
  return text.startsWith('1') ? 1000 : Number((match[1] ?? '').padEnd(3, '0'));
}
