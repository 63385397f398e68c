/** What the README says can be typed, typed. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { app } from '../../src/app.ts';
import { startApi } from '../../src/local/api.ts';
import { shop as commands } from '../../src/shop/commands.ts';
import { startShopApi } from '../http/shopApi.ts';
import { by } from '../support/shop.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const lines = [...readme.matchAll(/^curl .*$/gm)].map(([line]) => line);

test('each curl line works as printed', async () => {
  const shop = await startShopApi();
  const api = await startApi(app, shop.api);
  const product = { description: '', category: 'drinks', price: 7.2, currency: 'EUR', stock: 9 } as const;
  await commands(shop.store).addProduct({ ...product, productId: 'tea', name: 'Tea' }, by());
  await commands(shop.store).addProduct({ ...product, productId: 'cup', name: 'Cup' }, by());
  await commands(shop.store).registerCustomer(
    { userId: 'ada', name: 'Ada', email: 'ada@example.com', marketing: false },
    by(),
  );
  expect(lines.length).toBeGreaterThan(4);
  for (const line of lines) {
    const typed = line
      .replace('http://127.0.0.1:4100', api.url)
      .replace('curl -s', 'curl -sS --fail-with-body');
    const { stdout } = await promisify(execFile)('sh', ['-c', typed]).catch((error) => {
      throw new Error(`${line}: ${error.message} ${error.stdout}`);
    });
    expect(JSON.parse(stdout), line).toBeTypeOf('object');
  }
  await api.stop();
  await shop.stop();
});
