/** A document, YAML or JSON, as a tree whose every node knows where it stands. */
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  parseDocument,
} from 'yaml';

export type Node = {
  /** As a person names it: `functions.search.events[0].stream`. */
  readonly path: string;
  readonly line: number;
  readonly content: string | number | boolean | null | readonly Node[] | ReadonlyMap<string, Node>;
};

export type Document = { root: Node; json: boolean };

const deepest = 100;
/** CloudFormation takes no more than 1 MB; aliases of aliases can grow without end. */
const mostNodes = 500_000;

/** Throws an error of one line where the text is neither. */
export function parse(text: string): Document {
  const lines = new LineCounter();
  // What is large or malicious enough to exhaust the parser is no template either.
  const parsed = attempt(() => parseDocument(text, { lineCounter: lines }));
  const [error] = parsed.errors;
  if (error !== undefined) throw new Error(`It is no YAML or JSON: ${firstLine(error.message)}.`);
  const grow = grower(parsed, lines);
  return { root: grow(parsed.contents, '', 1, 0), json: /^\s*[{[]/.test(text) };
}

type Parsed = ReturnType<typeof parseDocument<ParsedNode>>;
type Grow = (node: unknown, path: string, line: number, depth: number) => Node;

function grower(parsed: Parsed, lines: LineCounter): Grow {
  let grown = 0;
  const lineOf = (node: unknown, otherwise: number) => {
    const start = (node as ParsedNode | null)?.range?.[0];
    return start === undefined ? otherwise : lines.linePos(start).line;
  };
  const grow: Grow = (node, path, line, depth) => {
    grown += 1;
    if (depth > deepest || grown > mostNodes) throw new Error('It is nested too deeply, or too large.');
    if (isAlias(node)) return grow((node as Alias).resolve(parsed) ?? null, path, line, depth + 1);
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        grow(item, `${path}[${index}]`, lineOf(item, line), depth + 1),
      );
      return tagged(node.tag, { path, line, content: items });
    }
    if (isMap(node)) {
      const members = new Map<string, Node>();
      for (const { key, value } of node.items) {
        const name = String(isScalar(key) ? key.value : key);
        const under = name === '<<' ? path : path === '' ? name : `${path}.${name}`;
        const member = grow(value, under, lineOf(key, line), depth + 1);
        if (name === '<<') merge(members, member);
        else members.set(name, member);
      }
      return { path, line, content: members };
    }
    return tagged(isScalar(node) ? node.tag : undefined, { path, line, content: scalarOf(node) });
  };
  return grow;
}

/** Of a merge key, which the Serverless Framework understands: what stands in the map itself goes first. */
function merge(members: Map<string, Node>, merged: Node): void {
  for (const one of Array.isArray(merged.content) ? merged.content : [merged])
    if (one.content instanceof Map)
      for (const [name, node] of one.content) if (!members.has(name)) members.set(name, node);
}

function scalarOf(node: unknown): string | number | boolean | null {
  const value = isScalar(node) ? node.value : null;
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : String(value);
}

/** CloudFormation's short tags, in their long form. */
function tagged(tag: string | undefined, node: Node): Node {
  const [, short] = /^!([A-Za-z]+)$/.exec(tag ?? '') ?? [];
  if (short === undefined) return node;
  const name = short === 'Ref' || short === 'Condition' ? short : `Fn::${short}`;
  return { ...node, content: new Map([[name, node]]) };
}

function attempt<T>(parsing: () => T): T {
  try {
    return parsing();
  } catch (error) {
    throw new Error(`It is no YAML or JSON: ${firstLine((error as Error).message)}.`);
  }
}

function firstLine(message: string): string {
  return `${message.split('\n')[0]}`.replace(/[.:]$/, '');
}
