import { illegal, noSuchIndex, SearchError } from './error.ts';
import { type JsonObject, listOf, objectOf, onlyKnown, onlyMember } from './json.ts';

/** Second names of indices: one name can stand for several. `exists` says of a name whether it is an index. */
export function createAliases(exists: (index: string) => boolean) {
  const indicesOf = new Map<string, Set<string>>();

  const add = (alias: string, index: string): void => {
    if (exists(alias)) throw invalidAlias(alias);
    indicesOf.set(alias, (indicesOf.get(alias) ?? new Set()).add(index));
  };
  const remove = (alias: string, index: string): void => {
    const indices = indicesOf.get(alias);
    indices?.delete(index);
    if (indices?.size === 0) indicesOf.delete(alias);
  };

  return {
    has: (name: string): boolean => indicesOf.has(name),
    /** What a name stands for: the indices of an alias, or itself. */
    behind: (name: string): string[] => [...(indicesOf.get(name) ?? [name])],
    of: (index: string): string[] =>
      [...indicesOf].flatMap(([alias, indices]) => (indices.has(index) ? [alias] : [])),
    /** Those that an index is created with. */
    addAll(index: string, json: unknown = {}): void {
      const aliases = Object.entries(objectOf(json, 'aliases'));
      for (const [alias, options] of aliases) {
        onlyKnown(objectOf(options, alias), [], `aliases.${alias}`);
        if (exists(alias)) throw invalidAlias(alias);
      }
      for (const [alias] of aliases) add(alias, index);
    },
    forget(index: string): void {
      for (const alias of [...indicesOf.keys()]) remove(alias, index);
    },
    /** `_aliases`: all of it or nothing. */
    change(json: JsonObject): void {
      onlyKnown(json, ['actions'], '');
      const actions = listOf(json.actions).map(readAction);
      for (const { index, alias } of actions) {
        if (!exists(index)) throw noSuchIndex(index, 'index_or_alias');
        if (exists(alias)) throw invalidAlias(alias);
      }
      const absent = actions.find(
        ({ name, index, alias }) => name === 'remove' && !indicesOf.get(alias)?.has(index),
      );
      if (absent !== undefined)
        throw new SearchError(404, 'aliases_not_found_exception', `aliases [${absent.alias}] missing`);
      for (const { name, index, alias } of actions) (name === 'add' ? add : remove)(alias, index);
    },
  };
}

function readAction(action: unknown) {
  const [name, given] = onlyMember(action, 'actions');
  if (name !== 'add' && name !== 'remove') throw illegal(`[${name}] is not supported by this stand-in`);
  const { index, alias, ...more } = objectOf(given, name);
  onlyKnown(more, [], name);
  return { name, index: String(index), alias: String(alias) };
}

function invalidAlias(alias: string): SearchError {
  const reason = `Invalid alias name [${alias}], an index exists with the same name as the alias`;
  return new SearchError(400, 'invalid_alias_name_exception', reason, { details: { index: alias } });
}
