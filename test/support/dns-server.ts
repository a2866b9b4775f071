import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** What a name stands for. `ttl` in seconds. */
export interface DnsRecord {
  readonly type: 'A' | 'AAAA' | 'SRV';
  readonly ttl?: number;
  readonly address?: string;
  readonly priority?: number;
  readonly weight?: number;
  readonly port?: number;
  readonly target?: string;
}

const typeNumbers = { A: 1, AAAA: 28, SRV: 33 } as const;
const noSuchName = 3;

/** A name server on a UDP port of its own that answers what a test says (RFC 1035), and counts what it is asked. */
export class DnsServer {
  /** By name in lower case. A name that is not there does not exist. */
  readonly records = new Map<string, readonly DnsRecord[]>();
  /** Names asked for, `SRV app.test`. */
  readonly questions: string[] = [];
  /** Says nothing, as a server that is down. */
  silent = false;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (message, from) => this.#answer(message, from));
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(message: Buffer, from: RemoteInfo): void {
    const { name, end } = readName(message, 12);
    const wanted = message.readUInt16BE(end);
    const type = (Object.keys(typeNumbers) as (keyof typeof typeNumbers)[]).find((key) => typeNumbers[key] === wanted);
    this.questions.push(`${type ?? wanted} ${name}`);
    if (this.silent) return;
    const known = this.records.get(name);
    const records = (known ?? []).filter((record) => record.type === type);
    const header = Buffer.alloc(12);
    header.writeUInt16BE(message.readUInt16BE(0), 0);
    header.writeUInt16BE(0x8580 | (known === undefined ? noSuchName : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const question = message.subarray(12, end + 4);
    this.#socket.send(Buffer.concat([header, question, ...records.map(recordBytes)]), from.port, from.address);
  }
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = message[at] ?? 0;
    if (length === 0) return { name: labels.join('.').toLowerCase(), end: at + 1 };
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.alloc(1)]);
}

function recordBytes(record: DnsRecord): Buffer {
  const data = dataOf(record);
  const head = Buffer.alloc(12);
  // The name: a pointer to that of the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(typeNumbers[record.type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(record.ttl ?? 1, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function dataOf({ type, address = '', priority = 0, weight = 0, port = 0, target = '' }: DnsRecord): Buffer {
  if (type === 'A') return Buffer.from(address.split('.').map(Number));
  if (type === 'AAAA') return ipv6Bytes(address);
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(priority, 0);
  numbers.writeUInt16BE(weight, 2);
  numbers.writeUInt16BE(port, 4);
  return Buffer.concat([numbers, nameBytes(target)]);
}

function ipv6Bytes(address: string): Buffer {
  const [before = '', after = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: 8 - groups(before).length - groups(after).length }, () => '0');
  const all = [...groups(before), ...zeros, ...groups(after)].map((group) => Number.parseInt(group, 16));
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
