import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openMail } from '../../src/mail/handler.ts';
import { defineApp } from '../../src/pipeline/app.ts';
import { order } from '../../src/shop/entities/order.ts';
import type { EmailTemplate, Entity } from '../../src/table/entity.ts';
import { allTaken } from '../sinks/world.ts';
import { openPost } from './post.ts';

const post = await openPost();

/** Two mails of one order, sent by a deployment whose confirmation has this template, or none. */
async function sentBy(template: Partial<EmailTemplate> | undefined) {
  const name = await post.ordered('pending', 'paid', 'shipped');
  const news = await post.news(name);
  const { orderConfirmation, ...others } = order.emails;
  if (orderConfirmation === undefined) throw new Error('It is declared.');
  const changed = { ...orderConfirmation, template: { ...orderConfirmation.template, ...template } };
  const emails = template === undefined ? others : { ...others, orderConfirmation: changed };
  const app = defineApp({ ...post.app, entities: [{ ...order, emails } as Entity] });
  const broken = openMail(app, post.connections);
  const answer = await broken(news);
  return { name, news, broken, answer, rows: await post.rowsOf(name), mail: await post.mailOf(name) };
}

test.each([
  ['throws', { text: '<%= it.nothing.at.all %>' }],
  ['is no template', { html: '<% if ( { %>' }],
])('a mail whose template %s fails before SES is asked, and holds nobody', async (_what, template) => {
  const { answer, rows, mail } = await sentBy(template);
  expect(answer).toEqual(allTaken);
  expect(rows).toMatchObject([
    { state: 'failed', refusal: expect.stringContaining('the template orderConfirmation failed') },
    { state: 'sent' },
  ]);
  expect(mail.map(({ subject }) => subject.includes('on its way'))).toEqual([true]);
  expect(post.ses.seen).toHaveLength(1);
});

test('what a failing template was given is not told', async () => {
  const { rows } = await sentBy({ text: '<% throw new Error(it.email) %>' });
  expect(rows[0]?.refusal).not.toContain('@');
});

test('a mail that is declared no more fails, and says which', async () => {
  const { answer, rows } = await sentBy(undefined);
  expect(answer).toEqual(allTaken);
  expect(rows[0]).toMatchObject({
    state: 'failed',
    refusal: 'no email orderConfirmation is declared for Order',
  });
  expect(rows[1]).toMatchObject({ state: 'sent' });
});

const quarter = 15 * 60_000;
const schedule = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };

test.each([
  ['whose template failed', { text: '<%= it.nothing.at.all %>' }],
  ['that was not declared', undefined],
])('a mail %s goes out by itself once it is mended and deployed, once', async (_what, template) => {
  const { name, news } = await sentBy(template);
  const [failed] = await post.rowsOf(name);
  expect(failed).toMatchObject({ state: 'failed', to: expect.any(String), item: expect.any(Object) });
  expect(await post.send(news)).toEqual(allTaken);
  expect(await post.statesOf(name)).toEqual(['failed', 'sent']); // not with each news of its item
  post.clock.milliseconds += quarter;
  await post.send(schedule as never);
  const [sent] = await post.rowsOf(name);
  expect(sent).toMatchObject({ state: 'sent' });
  for (const field of ['to', 'item', 'due', 'queue', 'refusal']) expect(sent).not.toHaveProperty(field);
  await post.send(schedule as never);
  expect(await post.mailOf(name)).toHaveLength(2);
});

test('a mail that is never mended is refused once it is too old, and keeps nothing', async () => {
  const { name, broken } = await sentBy({ text: '<%= it.nothing.at.all %>' });
  post.clock.milliseconds += quarter;
  await broken(schedule as never);
  expect(await post.statesOf(name)).toEqual(['failed', 'sent']);
  const before = post.clock.milliseconds;
  post.clock.milliseconds = Number((await post.rowsOf(name))[0]?.sendBefore) + 1;
  await broken(schedule as never);
  post.clock.milliseconds = before;
  const [row] = await post.rowsOf(name);
  expect(row).toMatchObject({ state: 'refused', refusal: expect.stringContaining('too old') });
  for (const field of ['to', 'item', 'due', 'queue']) expect(row).not.toHaveProperty(field);
});

test.each(['to', 'item'] as const)('a row without `%s` is refused', async (field) => {
  const name = await post.ordered('pending');
  const news = await post.news(name);
  const [row] = await post.rowsOf(name);
  const { [field]: _, ...rest } = Object(row);
  await post.put(rest);
  expect(await post.send(news)).toEqual(allTaken);
  expect(await post.statesOf(name)).toEqual(['refused']);
  expect(await post.mailOf(name)).toEqual([]);
});

test('what stands in a field is text in the HTML, and as it is in the plain text', async () => {
  const evil = '<img src=x onerror="alert(1)"> & \'q\'';
  const name = await post.ordered('pending');
  const news = await post.news(name);
  const [row] = await post.rowsOf(name);
  if (row) await post.put({ ...row, item: { ...row.item, orderId: evil } });
  await post.send(news);
  const [mail] = await post.mailOf(name);
  expect(mail?.html).not.toContain('<img');
  expect(mail?.html).toContain('&lt;img');
  expect(mail?.text).toContain(evil);
});

test('a field cannot begin a header of its own, nor a template', async () => {
  const field = fc.string({ unit: fc.constantFrom('\r', '\n', '\u2028', '\t', 'a', ':', '<%= 1 %>', ' ') });
  await fc.assert(
    fc.asyncProperty(field, async (text) => {
      const name = await post.ordered('pending');
      const news = await post.news(name);
      const [row] = await post.rowsOf(name);
      if (row) await post.put({ ...row, item: { ...row.item, orderId: text } });
      expect(await post.send(news)).toEqual(allTaken);
      const [mail] = await post.mailOf(name);
      expect(mail?.subject).toBe(`Your order ${text}`.replaceAll(/\s+/g, ' ').trim());
    }),
    { numRuns: 20 },
  );
});
