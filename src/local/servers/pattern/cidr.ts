import { isIPv4, isIPv6 } from 'node:net';

type Address = { bits: 32 | 128; value: bigint };

export function compileCidr(text: string): (value: string) => boolean {
  const [base, mask, ...more] = text.split('/');
  if (base === undefined || mask === undefined || more.length > 0) {
    throw new Error("Malformed CIDR, one '/' required");
  }
  if (!/^-?\d+$/.test(mask)) throw new Error('Malformed CIDR, mask bits must be an integer');
  const network = readAddress(base);
  if (network === undefined) throw new Error(`Nonstandard IP address: ${base}`);
  const free = network.bits - Number(mask);
  if (free < 0 || free > network.bits)
    throw new Error(`Malformed CIDR, mask bits must be 0 to ${network.bits}`);
  const prefix = network.value >> BigInt(free);
  return (value) => {
    const address = readAddress(value);
    return address?.bits === network.bits && address.value >> BigInt(free) === prefix;
  };
}

function readAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { bits: 32, value: ipv4(text) };
  if (isIPv6(text) && !text.includes('%')) return { bits: 128, value: ipv6(text) };
  return undefined;
}

const ipv4 = (text: string): bigint =>
  text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);

function ipv6(text: string): bigint {
  const plain = text.replace(/[\d.]+$/, (tail) => (tail.includes('.') ? groupsOfIPv4(tail) : tail));
  const [head = [], tail = []] = plain.split('::').map((side) => side.split(':').filter(Boolean));
  const groups = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function groupsOfIPv4(text: string): string {
  const value = ipv4(text);
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}
