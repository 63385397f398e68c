import { expect, test } from 'vitest';
import * as z from 'zod/mini';
import { app } from '../../src/app.ts';
import { defineApp } from '../../src/pipeline/app.ts';
import { product } from '../../src/shop/entities/product.ts';
import { defineEntity } from '../../src/table/entity.ts';

const coupon = (name: string, pk: string, index: string) =>
  defineEntity({
    name,
    schema: z.object({ code: z.string() }),
    key: { pk: pk as 'COUPON#{code}', sk: 'COUPON', from: 'natural' },
    search: { index, fields: { code: 'keyword' }, document: ({ code }) => ({ code }) },
  });

test('what two entities share they would overwrite for each other: it is refused', () => {
  const first = coupon('Coupon', 'COUPON#{code}', 'coupons');
  const put = (second: typeof first) => () => defineApp({ ...app, entities: [product, first, second] });
  expect(put(coupon('Coupon', 'OTHER#{code}', 'others'))).toThrow('Two entities are called Coupon');
  expect(put(coupon('Voucher', 'COUPON#{code}', 'vouchers'))).toThrow(
    'Voucher and Coupon have the same key: COUPON#{code} / COUPON',
  );
  expect(put(coupon('Voucher', 'VOUCHER#{code}', 'coupons'))).toThrow(
    'Voucher and Coupon have the same search index: coupons',
  );
  expect(put(coupon('Voucher', 'VOUCHER#{code}', 'vouchers'))).not.toThrow();
});
