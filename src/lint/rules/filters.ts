/** Filters that skip records silently: Lambda counts what it skips as done. */
import { isMap, isScalar, parseDocument } from 'yaml';
import type { Node } from '../document.ts';
import type { Mapping, Model } from '../model.ts';
import { isVariable, textOf } from '../node.ts';
import { asWritten, found, lines, type Outcome, unjudged } from '../outcome.ts';
import { everything, type Fault, faultsIn, isPattern, type Pattern } from '../pattern.ts';

const rule = 'filter-skips';
const longest = 4096;

export function filters(model: Model): Outcome[] {
  return model.mappings.flatMap((mapping) =>
    (mapping.settings.filters ?? []).flatMap((filter) => judge(model, mapping, filter)),
  );
}

function judge(model: Model, mapping: Mapping, filter: Node): Outcome[] {
  const read = readPattern(filter);
  if (read === undefined) return [unjudged(rule, filter)];
  const faults = typeof read === 'string' ? faultsOfText(mapping, read) : faultsOf(mapping, read);
  return faults.map(({ severity, path, happens, better }) => {
    // In a template a pattern is JSON in a string.
    const value = typeof read === 'string' || mapping.form !== 'serverless' ? JSON.stringify(better) : better;
    return found(rule, filter, {
      severity,
      happens: path === '' ? happens : `${path}: ${happens}`,
      when: severity === 'hurts' ? 'when it is deployed' : 'at every such record; Lambda counts it as done',
      write: [lines(model, 'instead', filter.path, value)],
    });
  });
}

function faultsOfText(mapping: Mapping, text: string): Fault[] {
  const pattern = text.length > longest ? undefined : parsed(text);
  if (pattern === undefined) {
    const happens = `The filter is refused: it is no JSON object of at most ${longest} characters.`;
    return [{ severity: 'hurts', path: '', happens, better: everything }];
  }
  const { repeated, merged } = repeatedIn(text);
  const faults = faultsOf(mapping, pattern);
  if (repeated === undefined) return faults;
  const happens = `"${repeated}" stands twice in one object: only the last counts, and what the first asks for is not asked.`;
  return [{ severity: 'loses', path: '', happens, better: merged }, ...faults];
}

function faultsOf({ source }: Mapping, pattern: Pattern): Fault[] {
  // What a Kinesis stream carries is its writer's affair, save what a table puts into it.
  if (source === 'dynamodb') return faultsIn(pattern);
  const { data } = pattern;
  if (source !== 'kinesis' || !isPattern(data) || !isPattern(data.dynamodb)) return [];
  const { tableName, ...record } = data;
  return faultsIn(record).map((fault) => ({
    ...fault,
    path: `data.${fault.path}`,
    better: { ...pattern, data: { ...(tableName === undefined ? {} : { tableName }), ...fault.better } },
  }));
}

/** An object as the Serverless Framework takes it, or text; undefined where it is known only when it is deployed. */
function readPattern(filter: Node): Pattern | string | undefined {
  const { content } = filter;
  const object = content instanceof Map && !isVariable(filter);
  if (object) return asWritten(filter) as Pattern;
  const text = textOf(filter);
  return Array.isArray(content) || text.startsWith('${') ? undefined : text;
}

function parsed(text: string): Pattern | undefined {
  try {
    const pattern: unknown = JSON.parse(text);
    return isPattern(pattern) ? pattern : undefined;
  } catch {
    return undefined;
  }
}

/** JSON.parse keeps the last of several; here they are seen, and laid together. */
function repeatedIn(json: string): { repeated: string | undefined; merged: Pattern } {
  let repeated: string | undefined;
  const value = (node: unknown): unknown => {
    if (!isMap(node)) return (node as { toJSON?(): unknown } | null)?.toJSON?.() ?? null;
    const members: Pattern = {};
    for (const { key, value: below } of node.items) {
      const name = String(isScalar(key) ? key.value : key);
      const one = value(below);
      const again = Object.hasOwn(members, name);
      if (again) repeated ??= name;
      members[name] = again ? together(members[name], one) : one;
    }
    return members;
  };
  const merged = value(parseDocument(json, { uniqueKeys: false }).contents) as Pattern;
  return { repeated, merged };
}

function together(before: unknown, after: unknown): unknown {
  if (!isPattern(before) || !isPattern(after)) return after;
  const both = Object.entries(after).map(([name, one]) => [
    name,
    Object.hasOwn(before, name) ? together(before[name], one) : one,
  ]);
  return { ...before, ...Object.fromEntries(both) };
}
