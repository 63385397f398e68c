/**
 * Mail as its reader sees it, in Chromium. `SCREENSHOTS=docs/images npx vitest run test/mail/browser.test.ts` makes
 * the README's picture anew.
 */
import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { programNamed } from '../support/programs.ts';
import { openPost } from './post.ts';

const executablePath = programNamed('chromium') ?? programNamed('chromium-browser');
const unless = executablePath === undefined ? ' (left out: no chromium on this machine)' : '';
const folder = process.env.SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'sluice-mail-'));

const post = await openPost();
let browser: Browser | undefined;

beforeAll(async () => {
  // Its sandbox does not work for root, as whom many containers run.
  if (executablePath !== undefined)
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});
afterAll(() => browser?.close());

/** The confirmation of an order with this item, open in a window as wide as a phone. */
async function opened(item: Record<string, unknown>) {
  const name = await post.ordered('pending');
  const news = await post.news(name);
  const [row] = await post.rowsOf(name);
  if (row) await post.put({ ...row, item: { ...row.item, ...item } });
  await post.send(news);
  const [mail] = await post.mailOf(name);
  const page = await (browser as Browser).newPage({ viewport: { width: 390, height: 260 } });
  const asked: string[] = [];
  const spoken: string[] = [];
  page.on('request', (request) => void asked.push(request.url()));
  page.on('dialog', async (dialog) => {
    spoken.push(dialog.message());
    await dialog.dismiss();
  });
  await page.setContent(mail?.html ?? '', { waitUntil: 'load' });
  return { page, asked, spoken };
}

const items = [
  { name: 'Green tea', quantity: 2, price: 12.5 },
  { name: 'Cup', quantity: 4, price: 7.2 },
];
const order = { orderId: 'Oq7tARsyaDRTpGPSX0kkLv', items, total: 53.8, currency: 'EUR' };

test.skipIf(executablePath === undefined)(`a confirmation can be read on a phone${unless}`, async () => {
  const { page, asked } = await opened(order);
  const text = await page.innerText('body');
  expect(text).toContain('Thank you for your order Oq7tARsyaDRTpGPSX0kkLv.');
  expect(text).toMatch(/2 × Green tea\s+12\.50 EUR/);
  expect(text).toMatch(/Total\s+53\.80 EUR/);
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(390);
  // What a mail fetches tells its sender that it was opened.
  expect(asked).toEqual([]);
  const picture = join(folder, 'orderConfirmation.png');
  await page.screenshot({ path: picture });
  expect(statSync(picture).size).toBeGreaterThan(2_000);
});

test.skipIf(executablePath === undefined)(`what stands in a field is only ever text${unless}`, async () => {
  const name =
    '<script>alert(1)</script><img src="http://127.0.0.1:9/x" onerror="alert(2)"><b id="bold">x</b>';
  const { page, asked, spoken } = await opened({ ...order, items: [{ name, quantity: 1, price: 1 }] });
  expect(await page.innerText('table')).toContain(name);
  expect(await page.locator('img, script, #bold').count()).toBe(0);
  expect({ asked, spoken }).toEqual({ asked: [], spoken: [] });
});
