import {
  GetSendQuotaCommand,
  ListTemplatesCommand,
  SESClient,
  SendEmailCommand,
  type SendEmailRequest,
} from '@aws-sdk/client-ses';
import { afterEach, describe, expect, it } from 'vitest';
import { startMail } from '../../src/local/servers/mail.ts';

type Options = NonNullable<Parameters<typeof startMail>[0]>;

const toStop: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0)) await stop();
});

async function start(options: Options = {}) {
  const mail = await startMail(options);
  const client = new SESClient({
    endpoint: mail.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  toStop.push(() => client.destroy(), mail.stop);
  const send = (changes: Partial<SendEmailRequest> = {}) =>
    client.send(new SendEmailCommand({ ...email, ...changes }));
  return { mail, client, send };
}

const email: SendEmailRequest = {
  Source: 'Shop <shop@example.com>',
  Destination: { ToAddresses: ['ann@example.com'] },
  Message: { Subject: { Data: 'Your order' }, Body: { Text: { Data: 'Thank you' } } },
};
const to = (...ToAddresses: string[]) => ({ Destination: { ToAddresses } });
const saying = (Subject: string, Html: string): Partial<SendEmailRequest> => ({
  Message: { Subject: { Data: Subject }, Body: { Html: { Data: Html } } },
});

it('a mail is accepted with all that belongs to it', async () => {
  const { mail, send } = await start({ now: () => 1_000 });
  const { MessageId } = await send({
    Destination: {
      ToAddresses: ['ann@example.com', '"B, C" <bo@example.com>'],
      CcAddresses: ['c@example.com'],
      BccAddresses: ['d@example.com'],
    },
    ReplyToAddresses: ['help@example.com'],
    Message: {
      Subject: { Data: 'Äpfel & <Birnen>' },
      Body: { Text: { Data: 'a\nb' }, Html: { Data: '<p>a&amp;b</p>' } },
    },
    Tags: [
      { Name: 'mail', Value: 'o1_v7' },
      { Name: 'kind', Value: 'order' },
    ],
  });
  expect(MessageId).toMatch(/^[0-9a-f]{16}-/);
  expect(mail.sent()).toEqual([
    {
      messageId: MessageId,
      source: 'Shop <shop@example.com>',
      to: ['ann@example.com', '"B, C" <bo@example.com>'],
      cc: ['c@example.com'],
      bcc: ['d@example.com'],
      replyTo: ['help@example.com'],
      subject: 'Äpfel & <Birnen>',
      text: 'a\nb',
      html: '<p>a&amp;b</p>',
      tags: { mail: 'o1_v7', kind: 'order' },
      at: 1_000,
    },
  ]);
});

it('a mail is refused by whoever started the server, with the error of their choice', async () => {
  const { mail, send } = await start({
    respond: ({ to: [first] }) =>
      first === 'full@example.com'
        ? { code: 'Throttling', status: 400, message: 'Maximum sending rate exceeded.' }
        : undefined,
  });
  await send();
  await expect(send(to('full@example.com'))).rejects.toMatchObject({
    name: 'Throttling',
    message: 'Maximum sending rate exceeded.',
  });
  expect(mail.sent()).toHaveLength(1);
});

it('the quota counts what was sent within a day', async () => {
  let now = 0;
  const { client, send } = await start({ now: () => now });
  await send();
  now = 23 * 3_600_000;
  await send();
  expect(await client.send(new GetSendQuotaCommand())).toMatchObject({
    Max24HourSend: -1,
    SentLast24Hours: 2,
  });
  now = 25 * 3_600_000;
  expect(await client.send(new GetSendQuotaCommand())).toMatchObject({ SentLast24Hours: 1 });
});

it('any other action is an error of SES', async () => {
  const { client } = await start();
  await expect(client.send(new ListTemplatesCommand())).rejects.toMatchObject({
    name: 'InvalidAction',
    message: 'Could not find operation ListTemplates for version 2010-12-01',
  });
});

describe('the outbox', () => {
  const read = async (url: string) => {
    const response = await fetch(url);
    return {
      status: response.status,
      policy: response.headers.get('content-security-policy') ?? '',
      body: await response.text(),
    };
  };

  it('shows every mail, and none of its text as markup', async () => {
    const { mail, send } = await start();
    expect((await read(mail.url)).body).toContain('Nothing was sent yet');
    await send(saying('<script>alert(1)</script>', '<b>x</b>'));
    const { body } = await read(mail.url);
    expect(body).not.toContain('<script>');
    expect(body).toContain('&#60;script&#62;alert(1)');
    expect(body).toContain(`/messages/${mail.sent()[0]?.messageId}`);
  });

  it("shows a mail's HTML in a sandbox that runs no scripts", async () => {
    const { mail, send } = await start();
    await send(saying('x', '"><script>alert(1)</script><p>Hello'));
    const { body, policy } = await read(`${mail.url}/messages/${mail.sent()[0]?.messageId}`);
    expect(body).toContain('<iframe sandbox srcdoc="&#34;&#62;&#60;script&#62;');
    expect(body).not.toContain('<script>');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('script-src');
  });

  it('shows a mail without HTML as text', async () => {
    const { mail, send } = await start();
    await send({ Message: { Subject: { Data: 'x' }, Body: { Text: { Data: '1 < 2' } } } });
    expect((await read(`${mail.url}/messages/${mail.sent()[0]?.messageId}`)).body).toContain(
      '<pre>1 &#60; 2</pre>',
    );
  });

  it('gives all of it as JSON, and nothing for a mail that is not there', async () => {
    const { mail, send } = await start();
    await send();
    expect(JSON.parse((await read(`${mail.url}/messages.json`)).body)).toEqual(
      JSON.parse(JSON.stringify(mail.sent())),
    );
    expect((await read(`${mail.url}/messages/nope`)).status).toBe(404);
  });
});
