/** What an entity's own function threw, and where; not its message, which can quote a field's value. */
export function whatWasThrown(error: unknown): string {
  if (!(error instanceof Error)) return `a ${typeof error} was thrown`;
  const { name, message, stack = '' } = error;
  const place = /\bat .*/.exec(stack.slice(stack.indexOf(message) + message.length))?.[0];
  return place === undefined ? name : `${name} ${place}`;
}
