/** Orders whose mail waits in the outbox, and the sender that is told of it by the outbox's stream. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import type { Connections } from '../../src/connections.ts';
import { openMail } from '../../src/mail/handler.ts';
import type { MailRow } from '../../src/mail/row.ts';
import { tagOf } from '../../src/mail/row.ts';
import { rowTag } from '../../src/mail/ses.ts';
import { encodeItem } from '../../src/table/attributes.ts';
import { fresh, history, nameOf, orderAt, purchase } from '../sinks/items.ts';
import type { Reply } from '../sinks/proxy.ts';
import { openWorld } from '../sinks/world.ts';
import { eventOf } from '../support/records.ts';

export async function openPost() {
  const world = await openWorld();

  const rowsOf = async (item: string) => (await world.outboxRows(item)) as MailRow[];

  const histories = new Map<string, DynamoDBRecord[]>();

  return {
    ...world,
    rowsOf,
    ses: world.proxies.mail,
    table: world.proxies.dynamodb,

    /** An order that took these steps, and whose mail waits: its name. */
    async ordered(...steps: string[]): Promise<string> {
      const id = fresh('o');
      const to = { email: `${id}@example.com` };
      const forms = steps.map((status, index) => orderAt(index + 1, purchase(id, { status, ...to })));
      const name = nameOf(forms[0] ?? {});
      histories.set(name, history(undefined, ...forms));
      await this.takenAgain(name);
      return name;
    },

    /** The order's changes are taken by `notify`, once more. */
    takenAgain: (order: string) => world.take('notify', eventOf(...(histories.get(order) ?? []))),

    /** What the outbox's stream says of these items' rows. */
    async news(...items: string[]): Promise<DynamoDBStreamEvent> {
      const rows = await Promise.all(items.map(rowsOf));
      return eventOf(...rows.flat().map(newsOf));
    },

    /** One sender, told of something. Others can be at it at the same time. */
    send: (event: DynamoDBStreamEvent, connections: Partial<Connections> = {}, remaining?: () => number) =>
      openMail(world.app, { ...world.connections, ...connections })(
        event,
        remaining && { getRemainingTimeInMillis: remaining },
      ),

    statesOf: async (item: string) => (await rowsOf(item)).map(({ state }) => state),

    /** The mail that was accepted for an item's rows, in that order. */
    async mailOf(item: string) {
      const tags = (await rowsOf(item)).map(tagOf);
      return world.mail.sent().filter((mail) => tags.includes(mail.tags[rowTag] ?? ''));
    },

    put: (row: MailRow) =>
      world.dynamodb.send(
        new PutItemCommand({ TableName: world.config.SLUICE_OUTBOX_TABLE, Item: encodeItem(row) }),
      ),
  };
}

let sequence = 0;

/** The record of a row that was put, or put back, as it is. */
export function newsOf(row: MailRow): DynamoDBRecord {
  const { pk, sk } = encodeItem(row);
  return JSON.parse(
    JSON.stringify({
      eventID: `news-${++sequence}`,
      eventName: 'INSERT',
      eventSource: 'aws:dynamodb',
      dynamodb: { Keys: { pk, sk }, NewImage: encodeItem(row), SequenceNumber: String(sequence) },
    }),
  );
}

/** An error as SES (API version 1) answers it. */
export function sesError(status: number, code: string): Reply {
  const type = status < 500 ? 'Sender' : 'Receiver';
  const body = `<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/"><Error><Type>${type}</Type><Code>${code}</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
