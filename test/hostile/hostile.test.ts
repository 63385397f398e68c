/** Item data that tries to break out of its place; one test for each place. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plain } from '../../src/local/live/plain.ts';
import { startMail } from '../../src/local/servers/mail.ts';
import { render } from '../../src/mail/render.ts';
import { orderConfirmation } from '../../src/shop/emails/orderConfirmation.ts';
import { memoryCache } from '../../src/sinks/cache/memory.ts';
import { readThrough } from '../../src/sinks/cache/read.ts';
import { ada, key, startShopApi, tea } from '../http/shopApi.ts';

const hostile = {
  'a line break and a header': 'Ada\r\nBcc: everybody@example.com\r\n\r\n<b>',
  'markup and script': '<script>alert("x")</script><img src=x onerror=alert(1)>',
  'quotes and attributes': `"' onmouseover='alert(1)' x="`,
  'template syntax': '{{constructor}} <%= process.env.HOME %> ${7*7} {% x %}',
  'terminal sequences': '\u001b[2J\u001b]0;owned\u0007\u009b31m',
  'a mark that turns the direction': 'invoice\u202Efdp.exe \u2066x\u2069',
  'query syntax': '*:* OR name:(a) AND _exists_:price \\ / " ~2 [1 TO 2]',
  'members of Object': '__proto__ constructor toString',
  'five hundred kilobytes': 'x'.repeat(500_000),
};
const texts = Object.entries(hostile);

const order = (name: string) => ({
  orderId: 'o1',
  items: [{ name, quantity: 1, price: 1 }],
  total: 1,
  currency: 'EUR',
});

describe.each(texts)('%s', (_, text) => {
  test('is one line in a mail subject', () => {
    const { subject } = render({ ...orderConfirmation, subject: 'For <%= it.items[0].name %>' }, order(text));
    expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
    expect(subject.length).toBeLessThan(1_000);
  });

  test('is text in the HTML of a mail, and nothing in it is evaluated', () => {
    const { html } = render(orderConfirmation, order(text));
    const cell = /<td>1 × ([\s\S]*?)<\/td>/.exec(html)?.[1] ?? '';
    expect(cell).not.toMatch(/[<>"']/);
    expect(cell).not.toContain('49');
    expect(
      cell
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&amp;', '&'),
    ).toBe(text);
  });

  test('is shown to a terminal as text', () => {
    expect(plain(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(plain(text).length).toBeLessThanOrEqual(120);
  });

  test('is one cache key, whatever stands in it', async () => {
    const port = memoryCache();
    await readThrough({ port, key: `product:${text}`, read: async () => 1 });
    expect(await port.peek(`product:${text}`)).toBeDefined();
    expect(await port.peek('product:')).toBeUndefined();
  });
});

describe('through the API', () => {
  let shop: Awaited<ReturnType<typeof startShopApi>>;
  beforeAll(async () => {
    shop = await startShopApi();
  });
  afterAll(() => shop.stop());

  test.each(texts.filter(([what]) => !what.startsWith('five')))(
    '%s comes back as it went in',
    async (what, text) => {
      const body = { ...tea, productId: `p-${texts.findIndex(([name]) => name === what)}`, name: text };
      const made = await shop.ask('POST', '/products', body, key(`k-${body.productId}`));
      expect(made).toMatchObject({ status: 201, json: { name: text } });
      expect((await shop.ask('GET', `/products/${body.productId}`)).json.name).toBe(text);
      const found = await shop.ask('GET', `/search/products?q=${encodeURIComponent(text)}`);
      expect(found).toMatchObject({ status: 200, json: { total: 0 } });
    },
  );

  test.each(texts.filter(([what]) => !what.startsWith('five')))(
    '%s can stand in a key, and in no header',
    async (what, text) => {
      const userId = `${what} ${text}`;
      const made = await shop.ask(
        'POST',
        '/customers',
        { ...ada, userId },
        key(`c-${encodeURIComponent(what)}`),
      );
      expect(made.status).toBe(201);
      expect(made.location).toBe(`/customers/${encodeURIComponent(userId)}`);
      expect((await shop.ask('GET', made.location)).json.userId).toBe(userId);
    },
  );

  test('half a surrogate pair is refused, since it would be stored as another text', async () => {
    for (const body of [
      { ...ada, userId: 'x\ud800' },
      { ...ada, userId: 'y', name: 'Ada\udc00' },
    ]) {
      expect(await shop.ask('POST', '/customers', body, key('s'))).toMatchObject({ status: 400 });
    }
  });

  test('five hundred kilobytes are refused, not cut', async () => {
    const body = { ...tea, productId: 'large', description: hostile['five hundred kilobytes'] };
    expect(await shop.ask('POST', '/products', body, key('large'))).toMatchObject({ status: 400 });
    expect(await shop.ask('GET', '/products/large')).toMatchObject({ status: 404 });
  });
});

test('an address with control characters, or with a second address, is refused by the mail server', async () => {
  const mail = await startMail();
  for (const to of ['ada@example.com\r\nBcc: x@example.com', 'ada@example.com, x@example.com']) {
    const form = new URLSearchParams({
      Action: 'SendEmail',
      Source: 'shop@example.com',
      'Destination.ToAddresses.member.1': to,
      'Message.Subject.Data': 's',
      'Message.Body.Text.Data': 't',
    });
    expect((await fetch(mail.url, { method: 'POST', body: form })).status).toBe(400);
  }
  expect(mail.sent()).toEqual([]);
  await mail.stop();
});
