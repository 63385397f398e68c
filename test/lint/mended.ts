/** Writes into a template what a finding says, as a person would. */
import { parse as parseYaml, stringify } from 'yaml';
import type { Finding } from '../../src/lint/lint.ts';

type Data = { [name: string]: unknown };

/** A template as plain data, CloudFormation's short tags in their long form. */
export function asData(text: string): Data {
  const tag = (short: string) => {
    const name = short === 'Ref' ? short : `Fn::${short}`;
    const value = (one: unknown) => ({
      [name]: short === 'GetAtt' && typeof one === 'string' ? one.split('.') : one,
    });
    return [
      { tag: `!${short}`, resolve: (one: string) => value(one) },
      {
        tag: `!${short}`,
        collection: 'seq' as const,
        resolve: (one: { toJSON(): unknown }) => value(one.toJSON()),
      },
    ];
  };
  return parseYaml(text, { customTags: ['Ref', 'GetAtt', 'Sub', 'Join'].flatMap(tag) as never, merge: true });
}

export function written(data: Data, name: string): string {
  return name.endsWith('.json')
    ? JSON.stringify(data, null, 2)
    : stringify(data, { aliasDuplicateObjects: false });
}

/** A copy with the lines of a finding in it. */
export function mended(data: Data, { how, at, lines }: Finding['write'][number], name: string): Data {
  const json = name.endsWith('.json');
  const value = json
    ? JSON.parse(how === 'in' ? `{${lines}}` : how === 'to' ? `[${lines}]` : lines)
    : parseYaml(lines);
  const copy = structuredClone(data);
  const path = at === '' ? [] : at.split(/\.|(?=\[)/).map((step) => /^\[(\d+)\]$/.exec(step)?.[1] ?? step);
  let place: Data = copy;
  for (const step of how === 'in' ? path : path.slice(0, -1)) {
    place[step] ??= {};
    place = place[step] as Data;
  }
  const last = path.at(-1) ?? '';
  if (how === 'in') Object.assign(place, value);
  else if (how === 'to') place[last] = [...((place[last] as unknown[] | undefined) ?? []), ...value];
  else place[last] = value;
  return copy;
}
