/** What the sender builds on: SES, and what it makes of its answers. */
import {
  GetSendQuotaCommand,
  ListIdentitiesCommand,
  SESClient,
  SendEmailCommand,
  type SendEmailRequest,
  VerifyEmailIdentityCommand,
} from '@aws-sdk/client-ses';
import { afterAll, beforeAll, expect } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type Connections, connect, disconnect } from '../../src/connections.ts';
import { startMail } from '../../src/local/servers/mail.ts';
import type { MailRow } from '../../src/mail/row.ts';
import { rowTag, sendMail } from '../../src/mail/ses.ts';
import { account } from '../support/shop.ts';
import { type Sentence, scenario } from './scenario.ts';

/** Gives all that was sent, as text. */
type SentBy = (endpoint: string) => Promise<string>;

const readText = async (url: string) => (await fetch(url)).text();

scenario('mail', ['stand-in', script((endpoint) => readText(`${endpoint}/messages.json`))], {
  ministack: (url) => script((endpoint) => readText(`${endpoint}/_ministack/ses/messages`), url),
  moto: (url) => script((endpoint) => readText(`${endpoint}/moto-api/data.json`), url),
});

const row: MailRow = {
  pk: 'Order/ORDER#o1',
  sk: '1/orderShipped',
  hash: '',
  state: 'sending',
  change: 'o1/1',
  entity: 'Order',
  email: 'orderShipped',
  policy: 'atMostOnce',
  occurredAt: '2026-11-20T08:00:00Z',
};

/** What a mail must not be. */
const bad: [how: string, changes: Partial<SendEmailRequest>][] = [
  ['without a sender', { Source: '' }],
  ['without a recipient', { Destination: {} }],
  ['to more than 50', to(...Array.from({ length: 51 }, (_, at) => `a${at}@example.com`))],
  ['without a subject', saying('')],
  ['without a body', { Message: { Subject: { Data: 'x' }, Body: {} } }],
  ['with a line break in its subject', saying('x\r\nBcc: eve@example.com')],
  ['to an address that has no @', to('ann.example.com')],
  ['to an address with a line break', to('ann@example.com\r\nBcc: eve@example.com')],
  ['to two addresses in one', to('ann@example.com, bo@example.com')],
  ['to two addresses behind one name', to('Ann <ann@example.com>, <bo@example.com>')],
  ['to an address with letters beyond ASCII', to('änn@example.com')],
  ['with one bad address among good ones', to('ann@example.com', 'nobody')],
  ['with a bad address to reply to', { ReplyToAddresses: ['nobody'] }],
  ['with a tag of other characters', { Tags: [{ Name: 'item', Value: 'order#1' }] }],
];

function to(...ToAddresses: string[]): Partial<SendEmailRequest> {
  return { Destination: { ToAddresses } };
}

function saying(subject: string): Partial<SendEmailRequest> {
  return { Message: { Subject: { Data: subject }, Body: { Text: { Data: 'x' } } } };
}

function script(sentBy: SentBy, given?: string) {
  return (sentence: Sentence) => {
    // Addresses of this run's own: a mock forgets none.
    const run = `r${Date.now()}`;
    const sender = `shop-${run}@example.com`;
    let endpoint = given ?? '';
    let ses: SESClient;
    let connections: Connections;
    let stop = async () => {};
    beforeAll(async () => {
      if (given === undefined) ({ url: endpoint, stop } = await startMail());
      ses = new SESClient({ endpoint, ...account, maxAttempts: 1 });
      connections = { ...connect(readConfig({ SLUICE_SENDER: sender })), ses };
      await ses.send(new VerifyEmailIdentityCommand({ EmailAddress: sender }));
    });
    afterAll(async () => {
      await disconnect(connections);
      await stop();
    });

    const send = (changes: Partial<SendEmailRequest> = {}) =>
      ses.send(
        new SendEmailCommand({
          Source: sender,
          Destination: { ToAddresses: [`ann-${run}@example.com`] },
          Message: { Subject: { Data: 'Your order' }, Body: { Text: { Data: 'Thank you' } } },
          ...changes,
        }),
      );

    sentence('a mail of the sender goes out as it was written', async () => {
      const mail = {
        subject: `Order ${run} ä`,
        text: `It is on its way ${run}.`,
        html: `<p>On its way ${run}</p>`,
      };
      const sent = await sendMail(connections, row, `ada-${run}@example.com`, mail);
      expect(sent).toEqual({ outcome: 'sent', messageId: expect.any(String) });
      const kept = await sentBy(endpoint);
      for (const part of [sender, `ada-${run}@example.com`, `On its way ${run}`])
        expect(kept).toContain(part);
    });

    sentence('its text goes out beside its HTML', async () => {
      const mail = { subject: 'Both', text: `As text ${run}`, html: `<p>As HTML ${run}</p>` };
      await sendMail(connections, row, `bo-${run}@example.com`, mail);
      const kept = await sentBy(endpoint);
      expect(kept).toContain(`As HTML ${run}`);
      expect(kept).toContain(`As text ${run}`);
    });

    sentence('its tags are kept', async () => {
      const mail = { subject: 'Tagged', text: 'x', html: 'x' };
      await sendMail(connections, row, `cy-${run}@example.com`, mail);
      expect(await sentBy(endpoint)).toContain(rowTag);
    });

    sentence('the same mail again is another mail', async () => {
      const [one, other] = [await send(), await send()];
      expect(one.MessageId).toBeDefined();
      expect(other.MessageId).not.toBe(one.MessageId);
    });

    sentence('a mail from an address that nobody verified is not sent, and can be tried again', async () => {
      const nobody = `nobody-${run}@example.com`;
      const config = { ...connections.config, SLUICE_SENDER: nobody };
      const mail = { subject: 'x', text: 'x', html: 'x' };
      const { outcome } = await sendMail({ ...connections, config }, row, `ann-${run}@example.com`, mail);
      expect(outcome).toBe('notSent');
      expect(await sentBy(endpoint)).not.toContain(nobody);
    });

    sentence('a mail that names a configuration set that is not there is not sent', async () => {
      await expect(send({ ConfigurationSetName: 'nowhere' })).rejects.toMatchObject({
        name: expect.stringMatching(/^ConfigurationSetDoesNotExist/),
      });
    });

    for (const [how, changes] of bad)
      sentence(`a mail ${how} is refused`, async () => {
        await expect(send(changes)).rejects.toMatchObject({
          name: 'InvalidParameterValue',
          $metadata: { httpStatusCode: 400 },
        });
      });

    sentence('fifty recipients are taken', async () => {
      const { MessageId } = await send(
        to(...Array.from({ length: 50 }, (_, at) => `a${at}-${run}@example.com`)),
      );
      expect(MessageId).toBeDefined();
    });

    sentence('the quota counts what was sent', async () => {
      const { SentLast24Hours = 0 } = await ses.send(new GetSendQuotaCommand());
      await send();
      const after = await ses.send(new GetSendQuotaCommand());
      expect(after.SentLast24Hours).toBe(SentLast24Hours + 1);
    });

    sentence('an address that was verified is listed', async () => {
      expect((await ses.send(new ListIdentitiesCommand())).Identities).toContain(sender);
    });
  };
}
