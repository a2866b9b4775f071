/** Text that compresses as pages do, the same each time. @param length bytes */
export function pageText(length: number): string {
  const words = 'front server static upstream response coding header worker thread bytes cache client page'.split(' ');
  let state = 1;
  let text = '<!doctype html>\n';
  while (text.length < length) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += `<p id="${state}">${words[state % words.length]} ${words[(state >> 8) % words.length]}</p>\n`;
  }
  return text.slice(0, length);
}
