/** SES as others have written it down, in two mocks of AWS: what the sender makes of its answers. */
import { SESClient, VerifyEmailIdentityCommand } from '@aws-sdk/client-ses';
import { afterAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { connect, disconnect } from '../../src/connections.ts';
import type { MailRow } from '../../src/mail/row.ts';
import { sendMail } from '../../src/mail/ses.ts';
import { withReal } from './given.ts';

const mail = { subject: 'Your order o1', text: 'It is on its way.', html: '<p>It is on its way.</p>' };
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
const readJson = async (url: string) => (await fetch(url)).json() as Promise<Record<string, never>>;

withReal('ministack', (endpoint) => {
  senders(endpoint, async () => JSON.stringify(await readJson(`${endpoint}/_ministack/ses/messages`)));
});

withReal('moto', (endpoint) => {
  senders(endpoint, async () => JSON.stringify(await readJson(`${endpoint}/moto-api/data.json`)));
});

function senders(endpoint: string, sentBy: () => Promise<string>): void {
  // An address of this run's own: the mock forgets none.
  const sender = `shop-${Date.now()}@example.com`;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const ses = new SESClient({ endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
  const connections = { ...connect(readConfig({ SLUICE_SENDER: sender })), ses };
  afterAll(() => disconnect(connections));

  test('a mail from an address that nobody verified is not sent, and is tried again: it can still be verified', async () => {
    const { outcome } = await sendMail(connections, row, 'ada@example.com', mail);
    expect(outcome).toBe('notSent');
    expect(await sentBy()).not.toContain(sender);
  });

  test('from one that is verified it is sent, as it was written', async () => {
    await ses.send(new VerifyEmailIdentityCommand({ EmailAddress: sender }));
    const sent = await sendMail(connections, row, 'ada@example.com', mail);
    expect(sent).toEqual({ outcome: 'sent', messageId: expect.any(String) });
    const kept = await sentBy();
    for (const part of [sender, 'ada@example.com', mail.subject]) expect(kept).toContain(part);
  });
}
