import { InvalidEventPatternException } from './invalid.ts';

export type Leaf = null | boolean | number | string;
export type Members = { members: [name: string, value: Json][] };
export type Json = Leaf | Json[] | Members;

export const isMembers = (json: Json): json is Members =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s{}[\]:,"]+/g;

/**
 * JSON with every member kept. JSON.parse keeps the last of two equal names, but EventBridge reads
 * `{"a": {"x": […]}, "a": {"y": […]}}` as both (the AWS documentation writes its "and" that way).
 */
export function readJson(text: string): Json {
  assertJson(text);
  const tokens = text.match(TOKENS) ?? [];
  let next = 0;

  const read = (): Json => {
    const token = tokens[next++] ?? '';
    if (token === '{') return { members: readUntil('}', () => [readName(), read()]) };
    if (token === '[') return readUntil(']', read);
    return JSON.parse(token);
  };
  const readName = (): string => JSON.parse(tokens[next++] ?? '');
  const readUntil = <T>(end: string, readOne: () => T): T[] => {
    const all: T[] = [];
    while (tokens[next] !== end) all.push(readOne());
    next++;
    return all;
  };
  return read();
}

function assertJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new InvalidEventPatternException(error instanceof Error ? error.message : String(error));
  }
}
