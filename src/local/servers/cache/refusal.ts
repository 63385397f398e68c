/** What a command is answered that cannot be carried out, in the words of Redis. */
export class Refusal extends Error {}

export const wrongCount = (command: string): Refusal =>
  new Refusal(`ERR wrong number of arguments for '${command}' command`);

export function unknownCommand(name: Buffer, args: Buffer[]): Refusal {
  let shown = '';
  for (const arg of args) if (shown.length < 128) shown += `'${quote(arg, 128 - shown.length)}' `;
  return new Refusal(`ERR unknown command '${quote(name, 128)}', with args beginning with: ${shown}`);
}

/** As much of it as Redis repeats: to the first zero byte. */
export function quote(bytes: Buffer, most: number): string {
  return (bytes.toString('latin1').split('\0', 1)[0] ?? '').slice(0, most);
}

export function integer(bytes: Buffer): number {
  const read = readInteger(bytes);
  if (read === undefined) throw new Refusal('ERR value is not an integer or out of range');
  return read;
}

/** Redis reads 64 bits, without a plus, a space or a leading zero. */
export function readInteger(bytes: Buffer): number | undefined {
  const text = bytes.toString('latin1');
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  return BigInt.asIntN(64, BigInt(text)) === BigInt(text) ? Number(text) : undefined;
}
