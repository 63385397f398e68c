/**
 * Key templates: `'ORDER#{orderId}'`. What stands in braces is a field of the item; the rest is literal.
 * From the template alone follow the key of an item, the recognition of a bare key and the typed check of its
 * fields.
 */

/** The field names in a template, as a union of string literals. */
type FieldsOf<Text extends string> = Text extends `${string}{${infer Field}}${infer Rest}`
  ? Field | FieldsOf<Rest>
  : never;

/** The template itself where each of its fields is a field of the item that can stand in a key, else a message. */
export type CheckedTemplate<Text extends string, Item> = [Exclude<FieldsOf<Text>, KeyField<Item>>] extends [
  never,
]
  ? Text
  : `{${Exclude<FieldsOf<Text>, KeyField<Item>>}} is no field that can stand in a key`;

type KeyField<Item> = {
  [Field in keyof Item]-?: NonNullable<Item[Field]> extends string | number ? Field : never;
}[keyof Item] &
  string;

/** One piece of a template: a literal text or the name of a field. */
type Piece = { literal: string } | { field: string };

export type Template = {
  text: string;
  fields: readonly string[];
  /** The literal text up to the first field: what a stream filter can match. */
  prefix: string;
  /** The key text of an item; `undefined` where one of its fields is absent (a sparse index). */
  render(item: Readonly<Record<string, unknown>>): string | undefined;
  /** Whether a bare key could have come from this template. */
  matches(key: string): boolean;
};

export function parseTemplate(text: string): Template {
  const pieces = piecesOf(text);
  const fields = pieces.flatMap((piece) => ('field' in piece ? [piece.field] : []));
  const first = pieces[0];
  const pattern = patternOf(pieces);
  return {
    text,
    fields,
    prefix: first !== undefined && 'literal' in first ? first.literal : '',
    render: (item) => render(text, pieces, item),
    matches: (key) => pattern.test(key),
  };
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  for (const [index, part] of text.split(/\{([^{}]*)\}/).entries()) {
    if (index % 2 === 1) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(part))
        throw new Error(`Key template "${text}": "{${part}}" names no field.`);
      pieces.push({ field: part });
    } else if (part !== '') pieces.push({ literal: part });
  }
  pieces.forEach((piece, index) => {
    const next = pieces[index + 1];
    if ('field' in piece && next !== undefined && 'field' in next) {
      // Two fields side by side could not be told apart: {a}{b} of "1","23" and "12","3" is one key for two items.
      throw new Error(`Key template "${text}": put a literal between {${piece.field}} and {${next.field}}.`);
    }
  });
  if (text === '' || /[{}]/.test(text.replaceAll(/\{[^{}]*\}/g, ''))) {
    throw new Error(`Key template "${text}": expected literals and {fields}, such as ORDER#{orderId}.`);
  }
  return pieces;
}

function render(text: string, pieces: Piece[], item: Readonly<Record<string, unknown>>): string | undefined {
  let key = '';
  for (const [index, piece] of pieces.entries()) {
    if ('literal' in piece) {
      key += piece.literal;
      continue;
    }
    const value = Object.hasOwn(item, piece.field) ? item[piece.field] : undefined;
    if (value === undefined || value === null) return undefined;
    const part = String(value);
    const following = pieces[index + 1];
    const end = following !== undefined && 'literal' in following ? following.literal : '';
    // The first such literal must be the one that ends the field, else two different items could render one key:
    // with {a}##{b} that would be "x#" and "y", "x" and "#y".
    // Half a surrogate pair is stored as another text: two keys could become the same one.
    if (part === '' || !part.isWellFormed() || (end !== '' && `${part}${end}`.indexOf(end) < part.length)) {
      const rule = end === '' ? '' : ` and must not run into "${end}"`;
      throw new Error(
        `Key template "${text}": field ${piece.field} must be non-empty, well-formed text${rule}.`,
      );
    }
    key += part;
  }
  return key;
}

function patternOf(pieces: Piece[]): RegExp {
  const source = pieces.map((piece) => ('literal' in piece ? RegExp.escape(piece.literal) : '.+')).join('');
  return new RegExp(`^${source}$`, 's');
}
