/** The one sender: takes an item's rows in version order, each by lease → sending → sent. */
import { randomUUID } from 'node:crypto';
import type { Connections } from '../connections.ts';
import type { App } from '../pipeline/app.ts';
import type { EmailTemplate } from '../table/entity.ts';
import { isPlainAddress } from './address.ts';
import { advance, beginSending, giveUpSending, lease, rowsOfItem } from './outbox.ts';
import type { Pace } from './pace.ts';
import { type Rendered, render } from './render.ts';
import type { MailRow, MailState } from './row.ts';
import { type MailOutcome, sendMail } from './ses.ts';
import { whySuppressed } from './suppressed.ts';

/** `settled`: nothing of the item is waiting. `later`: something is, since then, and must be tried again. */
export type ItemOutcome = { outcome: 'settled' } | { outcome: 'later'; since: number };

const settled = new Set<MailState>(['sent', 'refused']);
const holdsNobody = new Set<MailState>(['failed', 'unknown']);

/** A run of the sender: `pace` settles when the next mail may go, and without `hasTime` none is begun. */
export type Run = { pace: Pace; hasTime(): boolean };

export async function sendDue(
  app: App,
  connections: Connections,
  item: string,
  { pace, hasTime }: Run,
): Promise<ItemOutcome> {
  for (const row of await rowsOfItem(connections, item)) {
    // One that failed or may have gone out holds nobody, and is taken again only when it is due.
    if (settled.has(row.state) || (holdsNobody.has(row.state) && !isDueAgain(connections, row))) continue;
    if (!hasTime()) return later(row);
    const outcome =
      row.state === 'sending'
        ? await settleSending(connections, row)
        : await sendRow(app, connections, row, pace);
    if (outcome.outcome === 'later') return outcome;
  }
  return { outcome: 'settled' };
}

/** In doubt, only by its policy, once SES had its time to report. */
function isDueAgain({ now }: Connections, { state, policy, due }: MailRow): boolean {
  return (state === 'failed' || policy === 'atLeastOnce') && due !== undefined && due <= now();
}

async function settleSending(connections: Connections, row: MailRow): Promise<ItemOutcome> {
  if (!(await giveUpSending(connections, row))) return later(row);
  count(connections, row, 'unknown');
  return { outcome: 'settled' };
}

async function sendRow(app: App, connections: Connections, row: MailRow, pace: Pace): Promise<ItemOutcome> {
  // Before the lease, which is not to run out in a queue.
  await pace();
  const owner = randomUUID();
  if (!(await lease(connections, row, owner))) return later(row);
  const settle = (changes: Settling, counted?: string) =>
    settleRow(connections, row, owner, ['leased'], changes, counted);
  const ready = prepare(app, connections, row);
  if ('refusal' in ready) {
    const { state = 'refused', refusal, counted } = ready;
    return settle({ state, refusal }, counted);
  }
  const suppressed = await whySuppressed(connections, ready.to);
  if (suppressed !== undefined) {
    const refusal = `the address is suppressed: ${suppressed}`;
    return settle({ state: 'refused', refusal }, 'suppressed');
  }
  if (!(await beginSending(connections, row, owner))) return later(row);
  const sent = await sendMail(connections, row, ready.to, ready.mail);
  return answered(connections, row, owner, sent);
}

type Settling = Partial<MailRow> & { state: MailState };

/** What SES is known to have answered also settles a row that was given up meanwhile. */
const asked: readonly MailState[] = ['sending', 'unknown'];

async function answered(
  connections: Connections,
  row: MailRow,
  owner: string,
  sent: MailOutcome,
): Promise<ItemOutcome> {
  switch (sent.outcome) {
    case 'sent':
      return settleRow(connections, row, owner, asked, { state: 'sent', messageId: sent.messageId });
    case 'refused':
      return settleRow(connections, row, owner, asked, { state: 'refused', refusal: sent.reason });
    case 'unknown':
      return settleRow(connections, row, owner, ['sending'], { state: 'unknown', refusal: sent.reason });
    case 'notSent':
      await advance(connections, row, owner, asked, { state: 'waiting', refusal: sent.reason });
      tell(connections, row, { state: 'waiting', refusal: sent.reason }, 'notSent');
      return later(row);
  }
}

async function settleRow(
  connections: Connections,
  row: MailRow,
  owner: string,
  from: readonly MailState[],
  changes: Settling,
  counted: string = changes.state,
): Promise<ItemOutcome> {
  // Whoever has it now says what became of it.
  if (!(await advance(connections, row, owner, from, changes))) return { outcome: 'settled' };
  tell(connections, row, changes, counted);
  return { outcome: 'settled' };
}

function tell(connections: Connections, row: MailRow, { state, refusal }: Settling, counted: string): void {
  count(connections, row, counted);
  const { change, email } = row;
  connections.log[state === 'sent' ? 'info' : 'warn']('mail', { change, email, state, reason: refusal });
}

/** What waits for a person is counted apart from what goes again by itself. */
function count({ metrics }: Connections, { policy }: MailRow, what: string): void {
  const isInDoubt = what === 'unknown' && policy === 'atMostOnce';
  metrics('mail', { [`mail.${isInDoubt ? 'inDoubt' : what}`]: 1 });
}

type Unready = { refusal: string; state?: 'failed'; counted?: string };

/** All that can fail but SES is done before `sending`: then it is known that nothing went out. */
function prepare(app: App, { now }: Connections, row: MailRow): { mail: Rendered; to: string } | Unready {
  if (row.sendBefore !== undefined && now() > row.sendBefore)
    return {
      refusal: `too old: it was to go out before ${new Date(row.sendBefore).toISOString()}`,
      counted: 'tooOld',
    };
  const template = templateOf(app, row);
  if (template === undefined)
    return { state: 'failed', refusal: `no email ${row.email} is declared for ${row.entity}` };
  if (row.to === undefined || row.item === undefined)
    return { refusal: 'the row holds no address or no content' };
  if (!isPlainAddress(row.to)) return { refusal: 'the address is not one plain address' };
  try {
    return { mail: render(template, row.item), to: row.to };
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown error';
    return { state: 'failed', refusal: `the template ${row.email} failed: ${name}` };
  }
}

function templateOf(app: App, row: MailRow): EmailTemplate | undefined {
  const emails = app.entities.find(({ name }) => name === row.entity)?.emails ?? {};
  return Object.hasOwn(emails, row.email) ? emails[row.email]?.template : undefined;
}

/** By its change, not by when it is due: that moves on with each try. */
function later({ occurredAt }: MailRow): ItemOutcome {
  return { outcome: 'later', since: Date.parse(occurredAt) };
}
