/** A stream record as it comes, and what can be read of it before it is known whose it is. */
import { decodeAttribute, decodeImage, type Image } from './attributes.ts';
import type { Change, Key } from './change.ts';
import type { Fields } from './entity.ts';
import type { Table } from './table.ts';

/** A stream record as Lambda delivers it; foreign ones may lack anything. */
export type StreamRecord = {
  eventID?: string | undefined;
  eventName?: string | undefined;
  userIdentity?: { type?: string; principalId?: string } | null | undefined;
  dynamodb?:
    | {
        /** Seconds; from Kinesis milliseconds or microseconds, and in recordings a text. */
        ApproximateCreationDateTime?: number | string | undefined;
        Keys?: Image | undefined;
        NewImage?: Image | undefined;
        OldImage?: Image | undefined;
        SequenceNumber?: string | undefined;
      }
    | undefined;
};

export type Decoded =
  | { verdict: 'change'; change: Change }
  /** Both images say the same, or nothing that Sluice shows has changed. */
  | { verdict: 'unchanged'; reason: string }
  /** Not ours: an item of no known entity. */
  | { verdict: 'ignored'; reason: string }
  /** Ours, but undecodable or invalid: set aside whole. `change` is what could be read of it. */
  | { verdict: 'parked'; reason: string; change?: Change };

export type Decoder = (record: StreamRecord) => Decoded;

export type Side = { image: Image; fields: Fields };
export type Read = {
  eventId: string;
  key: Key;
  time: number; // epoch milliseconds
  expired: boolean;
  images: { before: Side | undefined; after: Side | undefined };
};

export function readRecord(record: StreamRecord, table: Table): Read | Decoded {
  const data = record.dynamodb;
  // Foreign producers and replayed files send null as well.
  const [oldImage, newImage] = [data?.OldImage ?? undefined, data?.NewImage ?? undefined];
  if (!isName(record.eventID) || typeof data?.Keys !== 'object' || data.Keys === null) {
    return { verdict: 'parked', reason: 'the record has no eventID or no dynamodb.Keys' };
  }
  const key = readKey(data.Keys, table);
  if (key === undefined) {
    return { verdict: 'ignored', reason: `its key is not ${table.pk} and ${table.sk}` };
  }
  if (newImage === undefined && oldImage === undefined) {
    return { verdict: 'parked', reason: 'the record has no image; the stream must show NEW_AND_OLD_IMAGES' };
  }
  // A removal shows no new image; where a broken producer sends one all the same, the event's name decides.
  const after = record.eventName === 'REMOVE' ? undefined : newImage;
  return {
    eventId: record.eventID,
    key,
    time: timeOf(record),
    expired: record.eventName === 'REMOVE' && record.userIdentity?.principalId === 'dynamodb.amazonaws.com',
    images: { before: side(oldImage), after: side(after) },
  };
}

/** Ids are made of it, so it must be one that a table can hold. */
function isName(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.isWellFormed();
}

/**
 * A record's time in epoch milliseconds; 0 where it has none. Streams give seconds, Kinesis milliseconds unless the
 * table says microseconds: up to the year 2255 their sizes tell them apart, and give versions below 2^53.
 */
export function timeOf(record: StreamRecord): number {
  const given: unknown = record.dynamodb?.ApproximateCreationDateTime;
  const time = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof time !== 'number' || !(time >= 0)) return 0;
  if (time < 9e9) return time * 1000;
  if (time < 9e12) return time;
  return time < 9e15 ? time / 1000 : 0;
}

function side(image: Image | undefined): Side | undefined {
  return image === undefined ? undefined : { image, fields: decodeImage(image) };
}

function readKey(keys: Image, table: Table): Key | undefined {
  const pk = Object.hasOwn(keys, table.pk) ? decodeAttribute(keys[table.pk], table.pk) : undefined;
  const sk = Object.hasOwn(keys, table.sk) ? decodeAttribute(keys[table.sk], table.sk) : undefined;
  return typeof pk === 'string' && typeof sk === 'string' ? { pk, sk } : undefined;
}
