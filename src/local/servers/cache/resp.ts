/** RESP2, the protocol of Redis: commands come as arrays of byte strings, any number of them in a packet or part. */
import { quote, Refusal, readInteger } from './refusal.ts';

/** A string stands for a status, such as OK; what is data is bytes. */
export type Reply = string | number | Buffer | null | Refusal | Reply[];

/** Redis takes more; here they are passed on the stack. */
const mostArguments = 30_000;
const mostBytes = 512 * 1024 * 1024;
const longestHeader = 64 * 1024;

/**
 * Reads one connection: give it each packet as it comes, it yields the commands that are complete with it. It throws
 * a refusal at what is no RESP; after that nothing can be read any more. Inline commands are none here: so a web page
 * that sends its form to this port does nothing.
 */
export function createReader() {
  let packets: Buffer[] = [];
  let held = 0;
  /** With fewer bytes than this nothing is complete; a large value is put together only once. */
  let wanted = 1;
  let args: Buffer[] = [];
  /** The arguments of this command that are still to come. */
  let missing = 0;
  /** The bytes of the next one, once its header was read. */
  let size: number | undefined;

  return function* read(packet: Buffer): Generator<[Buffer, ...Buffer[]]> {
    packets.push(packet);
    held += packet.length;
    if (held < wanted) return;
    let rest = Buffer.concat(packets);
    while (true) {
      if (size === undefined) {
        const header = readHeader(rest, missing > 0);
        if (header === undefined) break;
        rest = rest.subarray(header.end);
        if (missing > 0) size = header.count;
        else missing = Math.max(0, header.count);
      } else {
        if (rest.length < size + 2) break;
        args.push(rest.subarray(0, size));
        rest = rest.subarray(size + 2);
        size = undefined;
        missing--;
        if (missing > 0) continue;
        const [name, ...others] = args;
        args = [];
        if (name !== undefined) yield [name, ...others];
      }
    }
    packets = [rest];
    held = rest.length;
    wanted = size === undefined ? held + 1 : size + 2;
  };
}

/** The line before an argument, or before a whole command. */
function readHeader(bytes: Buffer, ofArgument: boolean): { count: number; end: number } | undefined {
  const [sign, called, most] = ofArgument ? ['$', 'bulk', mostBytes] : ['*', 'multibulk', mostArguments];
  const end = bytes.indexOf('\r\n');
  if (end < 0) {
    if (bytes.length <= longestHeader) return undefined;
    throw new Refusal(`ERR Protocol error: too big ${ofArgument ? 'bulk' : 'mbulk'} count string`);
  }
  const first = bytes.subarray(0, 1);
  if (first.toString() !== sign)
    throw new Refusal(`ERR Protocol error: expected '${sign}', got '${quote(first, 1)}'`);
  const count = readInteger(bytes.subarray(1, end));
  if (count === undefined || count > most || (ofArgument && count < 0))
    throw new Refusal(`ERR Protocol error: invalid ${called} length`);
  return { count, end: end + 2 };
}

export function encode(reply: Reply): Buffer {
  if (reply === null) return line('$-1');
  if (typeof reply === 'string') return line(`+${reply}`);
  if (typeof reply === 'number') return line(`:${reply}`);
  if (reply instanceof Refusal) return line(`-${reply.message.replace(/[\r\n]/g, ' ')}`);
  if (Array.isArray(reply)) return Buffer.concat([line(`*${reply.length}`), ...reply.map(encode)]);
  return Buffer.concat([line(`$${reply.length}`), reply, line('')]);
}

const line = (text: string) => Buffer.from(`${text}\r\n`, 'latin1');
