import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { megabyte } from './large-content.ts';

/** What is uploaded, and the fields around it. */
export interface Upload {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  readonly fileName: string;
  readonly megabytes: number;
}

/** Sends a file of so many megabytes as a browser sends a form, never holding more than one of them. */
export async function uploadFile(upload: Upload): Promise<{ status: number; text: string }> {
  const boundary = '----portico-test-boundary';
  const fields = Object.entries(upload.fields).map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file = `Content-Disposition: form-data; name="file"; filename="${upload.fileName}"\r\nContent-Type: application/octet-stream`;
  const head = `${fields.join('')}--${boundary}\r\n${file}\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  const outgoing = request(upload.url, {
    method: 'POST',
    agent: false,
    headers: {
      ...upload.headers,
      'Content-Type': `multipart/form-data; boundary=${boundary}`,
      'Content-Length': head.length + upload.megabytes * megabyte(0).length + tail.length,
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  outgoing.write(head);
  for (let number = 0; number < upload.megabytes; number++) {
    if (!outgoing.write(megabyte(number))) await Promise.race([once(outgoing, 'drain'), answered]);
  }
  outgoing.end(tail);
  const response = await answered;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}
