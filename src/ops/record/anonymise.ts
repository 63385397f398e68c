/**
 * Personal data of recorded changes, replaced by stand-ins. Personal is what the entities declare so; the same value
 * has the same stand-in within one recording, and another in the next: a secret of the recording's own makes them,
 * so that nobody can try values until one fits.
 *
 * A personal text is replaced wherever it stands in an image, also within a longer text or a key. What nobody
 * declares as personal stays, unless it holds such a text.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import type { App } from '../../pipeline/app.ts';
import type { Image } from '../../table/attributes.ts';
import type { Entity } from '../../table/entity.ts';
import type { StreamRecord } from '../../table/record.ts';
import type { Table } from '../../table/table.ts';
import type { Template } from '../../table/template.ts';
import { decodeOrPark } from './kinds.ts';

type Parts = Pick<App, 'table' | 'entities' | 'decode'>;
type Readable = { record: DynamoDBRecord; entity: Entity };
type StandIns = {
  /** A text with every personal value in it replaced. */
  text(text: string): string;
  /** What stands for a hash of an input, or for the beginning of one. */
  hash(text: string): string;
  digits(number: string): string;
  bytes(base64: string): string;
};

/** What is shorter stands in too many texts by chance: it is replaced only where it is the whole text. */
const shortestWithin = 3;

/** `leftOut`: how many cannot be decoded, so that nobody knows what is personal in them. */
export function anonymise(
  recorded: readonly DynamoDBRecord[],
  parts: Parts,
  secret: string = randomBytes(32).toString('base64'),
): { records: DynamoDBRecord[]; leftOut: number } {
  const readable = recorded.flatMap((record): Readable[] => {
    const entity = entityOf(record, parts);
    return entity === undefined ? [] : [{ record, entity }];
  });
  const values = readable.flatMap((one) => personalValues(one, parts.table));
  const standIns = standInsFor(values, secret);
  const records = readable
    .map((one) => withStandIns(one, standIns, parts.table))
    // What a stand-in does not fit would be poison in the recording, and was none.
    .filter((record) => entityOf(record, parts) !== undefined);
  return { records, leftOut: recorded.length - records.length };
}

/** An email stays one; other text becomes a word. Forty bits: two of a million people hardly ever share one. */
export function standIn(value: string, secret: string): string {
  const digest = digestOf(value, secret).toString('hex').slice(0, 10);
  return /^[^\s@]+@[^\s@]+$/.test(value) ? `email-${digest}@example.com` : `name-${digest}`;
}

/**
 * The hash of an input that somebody can guess gives the input away. Twelve characters of it stand in the marks of
 * requests: the stand-ins agree with each other as far.
 */
export function hashStandIn(text: string, secret: string): string {
  return digestOf(text.slice(0, 12), secret).toString('base64url').slice(0, text.length);
}

function digestOf(value: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(value).digest();
}

function standInsFor(values: readonly string[], secret: string): StandIns {
  const whole = new Map(values.map((value) => [value, standIn(value, secret)]));
  // The longest first: a name is not to be left half because a part of it is somebody else's.
  const within = [...whole.keys()]
    .filter((value) => value.length >= shortestWithin)
    .sort((one, other) => other.length - one.length);
  const pattern =
    within.length === 0 ? undefined : new RegExp(within.map((value) => RegExp.escape(value)).join('|'), 'g');
  return {
    text(text) {
      const found = whole.get(text);
      if (found !== undefined || pattern === undefined) return found ?? text;
      return text.replaceAll(pattern, (value) => whole.get(value) ?? value);
    },
    hash: (text) => hashStandIn(text, secret),
    digits: (number) => digits(number, secret),
    bytes: (base64) => bytes(base64, secret),
  };
}

function entityOf(record: DynamoDBRecord, { entities, table, decode }: Parts): Entity | undefined {
  const decoded = decodeOrPark(decode, record as StreamRecord);
  if (decoded.verdict === 'change') return decoded.change.entity;
  if (decoded.verdict !== 'unchanged') return undefined;
  const named = imagesOf(record).map((image) => textOf(image[table.type]));
  return entities.find(({ name }) => named.includes(name));
}

function personalValues({ record, entity }: Readable, table: Table): string[] {
  const templates = keyTemplates(entity, table);
  const images = imagesOf(record);
  const inFields = images.flatMap((image) => entity.personal.flatMap((field) => textsIn(image[field])));
  // A tombstone has no fields any more, but its key tells what some of them were.
  const inKeys = [record.dynamodb?.Keys ?? {}, ...images].flatMap((image) =>
    [...templates].flatMap(([name, template]) => {
      const parts = partsOf(template, textOf(Object(image)[name]) ?? '') ?? [];
      return parts.flatMap((part) => (isPersonal(part, entity) ? [part.text] : []));
    }),
  );
  return [...inFields, ...inKeys].filter((value) => value !== '');
}

function withStandIns({ record, entity }: Readable, standIns: StandIns, table: Table): DynamoDBRecord {
  const templates = keyTemplates(entity, table);
  const replaceImage = (image: object) =>
    Object.fromEntries(
      Object.entries(image).map(([name, value]) => {
        const template = templates.get(name);
        if (template !== undefined) return [name, rekeyed(value, template, standIns)];
        // Which entity it is must stay readable, even where somebody is called so.
        if (name === table.type) return [name, value];
        if (name === table.hash || name === table.created) return [name, rehashed(value, standIns)];
        const replaced = replaceTexts(value, standIns);
        if (name === table.requests) return [name, remarked(replaced, standIns)];
        return [name, entity.personal.includes(name) ? withoutTraces(replaced, standIns) : replaced];
      }),
    );
  const { Keys, NewImage, OldImage, ...rest } = record.dynamodb ?? {};
  return {
    ...record,
    dynamodb: {
      ...rest,
      ...(Keys && { Keys: replaceImage(Keys) }),
      ...(NewImage && { NewImage: replaceImage(NewImage) }),
      ...(OldImage && { OldImage: replaceImage(OldImage) }),
    },
  };
}

/** The attributes that hold keys, each with the template that its text came from. */
function keyTemplates(entity: Entity, table: Table): Map<string, Template> {
  const templates = new Map([
    [table.pk, entity.key.pk],
    [table.sk, entity.key.sk],
  ]);
  for (const [index, { pk, sk }] of Object.entries(entity.indexes)) {
    const names = table.indexes[index];
    if (names !== undefined) templates.set(names.pk, pk).set(names.sk, sk);
  }
  return templates;
}

type Part = { text: string; field?: string };

/** A key's text in pieces, literals and fields; undefined where it did not come from that template. */
function partsOf({ text }: Template, key: string): Part[] | undefined {
  const pieces = text.split(/\{([^{}]*)\}/);
  // The first literal after a field is the one that ends it: templates render nothing else.
  const pattern = pieces.map((piece, index) => (index % 2 === 1 ? '(.+?)' : `(${RegExp.escape(piece)})`));
  const found = new RegExp(`^${pattern.join('')}$`, 's').exec(key);
  return found
    ?.slice(1)
    .map((part, index) => ({ text: part, ...(index % 2 === 1 && { field: pieces[index] ?? '' }) }));
}

function isPersonal({ field }: Part, { personal }: Entity): boolean {
  return field !== undefined && personal.includes(field);
}

function rekeyed(value: unknown, template: Template, standIns: StandIns): unknown {
  const parts = partsOf(template, textOf(value) ?? '');
  if (parts === undefined) return replaceTexts(value, standIns);
  return {
    S: parts.map(({ text, field }) => (field === undefined ? text : standIns.text(text))).join(''),
  };
}

type Change = (type: string, value: unknown) => unknown;

/** An attribute value with `change` made to each value in it that holds no others. */
function mapped(
  attribute: unknown,
  change: Change,
  rename: (name: string) => string = (name) => name,
): unknown {
  return Object.fromEntries(
    Object.entries(Object(attribute)).map(([type, value]) => {
      if (type === 'L') return [type, (value as unknown[]).map((member) => mapped(member, change, rename))];
      if (type !== 'M') return [type, change(type, value)];
      const members = Object.entries(value as Image);
      return [
        type,
        Object.fromEntries(members.map(([name, one]) => [rename(name), mapped(one, change, rename)])),
      ];
    }),
  );
}

/** Names inside a map are data too: `{ "ada@example.org": … }`. */
function replaceTexts(attribute: unknown, standIns: StandIns): unknown {
  return mapped(attribute, inTexts(standIns.text), standIns.text);
}

function inTexts(change: (text: string) => string): Change {
  return (type, value) => {
    if (type === 'S') return change(value as string);
    return type === 'SS' ? (value as string[]).map(change) : value;
  };
}

function rehashed(attribute: unknown, { hash }: StandIns): unknown {
  return mapped(attribute, inTexts(hash));
}

/** A mark is the id of a request and the beginning of its input's hash. */
function remarked(attribute: unknown, { hash }: StandIns): unknown {
  return mapped(
    attribute,
    inTexts((mark) => {
      const end = mark.lastIndexOf('#') + 1;
      return `${mark.slice(0, end)}${hash(mark.slice(end))}`;
    }),
  );
}

/** What is personal and no text: it keeps its type and its length, and says nothing any more. */
function withoutTraces(attribute: unknown, { digits, bytes }: StandIns): unknown {
  return mapped(attribute, (type, value) => {
    if (type === 'N') return digits(value as string);
    if (type === 'NS') return [...new Set((value as string[]).map(digits))];
    if (type === 'B') return bytes(value as string);
    if (type === 'BS') return [...new Set((value as string[]).map(bytes))];
    return type === 'BOOL' ? false : value;
  });
}

function digits(number: string, secret: string): string {
  const length = number.replaceAll(/\D/g, '').length;
  const digest = digestOf(number, secret).toString('hex').slice(0, 30);
  return String(10n ** BigInt(length - 1) + (BigInt(`0x${digest}`) % (9n * 10n ** BigInt(length - 1))));
}

function bytes(base64: string, secret: string): string {
  const { length } = Buffer.from(base64, 'base64');
  return Buffer.alloc(length, digestOf(base64, secret)).toString('base64');
}

function textsIn(attribute: unknown): string[] {
  const texts: string[] = [];
  const collect: Change = (type, value) => {
    if (type === 'S') texts.push(value as string);
    if (type === 'SS') texts.push(...(value as string[]));
    return value;
  };
  mapped(attribute, collect);
  return texts;
}

function imagesOf({ dynamodb }: DynamoDBRecord): Image[] {
  return [dynamodb?.NewImage, dynamodb?.OldImage].filter((image) => image !== undefined);
}

function textOf(attribute: unknown): string | undefined {
  const { S } = Object(attribute) as { S?: unknown };
  return typeof S === 'string' ? S : undefined;
}
