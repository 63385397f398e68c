import type { Leaf } from './json.ts';

/** Which element of which array a field stands in: array number → element number. */
type Places = ReadonlyMap<number, number>;
export type Field = { value: Leaf; places: Places };
export type Fields = ReadonlyMap<string, Field[]>;

/** An event as its leaves under dotted names; a name with a dot in it reads as nesting. */
export function fieldsOf(event: unknown): Fields {
  const fields = new Map<string, Field[]>();
  let arrays = 0;

  const walk = (value: unknown, path: string, places: Places): void => {
    if (Array.isArray(value)) walkArray(value, path, places);
    else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) {
        walk(member, path === '' ? name : `${path}.${name}`, places);
      }
    } else {
      const same = fields.get(path) ?? [];
      same.push({ value: value as Leaf, places });
      fields.set(path, same);
    }
  };

  const walkArray = (elements: unknown[], path: string, places: Places): void => {
    const array = arrays++;
    for (const [index, element] of elements.entries()) {
      // Only elements with something inside are told apart: plain values go with any of them.
      const inside = typeof element === 'object' && element !== null;
      walk(element, path, inside ? new Map(places).set(array, index) : places);
    }
  };

  walk(event, '', new Map());
  return fields;
}

/** Both in one match only if no array is asked to be at two elements at once. */
export function together(one: Places, other: Places): Places | undefined {
  for (const [array, index] of other) {
    if ((one.get(array) ?? index) !== index) return undefined;
  }
  return new Map([...one, ...other]);
}
