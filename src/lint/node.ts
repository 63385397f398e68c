/** Reading nodes: what is there, what is known, and what an expression says. */
import type { Node } from './document.ts';

export function member(node: Node | undefined, ...names: readonly string[]): Node | undefined {
  let at = node;
  for (const name of names) at = at?.content instanceof Map ? at.content.get(name) : undefined;
  return at;
}

export function members(node: Node | undefined): readonly (readonly [string, Node])[] {
  return node?.content instanceof Map ? [...node.content] : [];
}

/** As `member`, but ends at what only a deployment knows, and gives that. */
export function within(node: Node | undefined, ...names: readonly string[]): Node | undefined {
  const [name, ...rest] = names;
  if (name === undefined || node === undefined || isVariable(node)) return node;
  return within(member(node, name), ...rest);
}

export function isVariable(node: Node): boolean {
  if (!(node.content instanceof Map)) return typeof node.content === 'string' && isOpen(node.content);
  const [name] = node.content.keys();
  return name === 'Ref' || name?.startsWith('Fn::') === true;
}

/** The items of a list; what stands alone is a list of one, as CloudFormation takes it. */
export function items(node: Node | undefined): readonly Node[] {
  if (node === undefined || node.content === null) return [];
  return Array.isArray(node.content) ? node.content : [node];
}

/** What a setting says: its value (undefined: not set), or that only a deployment knows it. */
export type Setting<T> = { known: true; value: T | undefined } | { known: false; node: Node };

export function numberIn(node: Node | undefined): Setting<number> {
  if (isAbsent(node)) return { known: true, value: undefined };
  const text = typeof node.content === 'string' ? node.content.trim() : node.content;
  const value = typeof text === 'string' && text !== '' ? Number(text) : text;
  return typeof value === 'number' && Number.isFinite(value)
    ? { known: true, value }
    : { known: false, node };
}

export function wordIn(node: Node | undefined): Setting<string> {
  if (isAbsent(node)) return { known: true, value: undefined };
  const { content } = node;
  if (typeof content !== 'string' && typeof content !== 'boolean') return { known: false, node };
  return isOpen(String(content)) ? { known: false, node } : { known: true, value: String(content) };
}

function isAbsent(node: Node | undefined): node is undefined {
  return node === undefined || node.content === null || member(node, 'Ref')?.content === 'AWS::NoValue';
}

/** Whether a text waits for a variable. */
export function isOpen(text: string): boolean {
  return text.includes('${');
}

/**
 * The text that an expression makes, with references as `${Name}` or `${Name.Attribute}`: two of the same text are
 * the same thing. What cannot be followed is a variable of its own.
 */
export function textOf(node: Node | undefined): string {
  if (node === undefined) return '';
  const { content } = node;
  if (Array.isArray(content)) return `\${[${content.map(textOf).join(',')}]}`;
  if (!(content instanceof Map)) return String(content);
  const [entry] = content;
  if (entry === undefined) return '${}';
  const [name, value] = entry;
  const parts: readonly Node[] = Array.isArray(value.content) ? value.content : [];
  switch (name) {
    case 'Ref':
      return `\${${textOf(value)}}`;
    case 'Fn::GetAtt':
      return `\${${parts.length > 0 ? parts.map(textOf).join('.') : textOf(value)}}`;
    case 'Fn::Sub':
      return substituted(parts.length > 0 ? parts[0] : value, parts[1]);
    case 'Fn::Join':
      return items(parts[1]).map(textOf).join(textOf(parts[0]));
    default:
      return `\${${name} ${textOf(value)}}`;
  }
}

function substituted(text: Node | undefined, variables: Node | undefined): string {
  return textOf(text).replaceAll(/\$\{([^}!]*)\}/g, (whole, name: string) => {
    const variable = member(variables, name);
    return variable === undefined ? whole : textOf(variable);
  });
}

/** As a person would write it, on one line. */
export function shown(node: Node): string {
  const text = textOf(node);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
