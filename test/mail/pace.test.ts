/** The sender keeps its share of the SES quota, whatever bursts, and mails everybody. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openPace } from '../../src/mail/pace.ts';
import { openPost } from './post.ts';

function virtualPace(perSecond: number) {
  const clock = { milliseconds: 1_000_000 };
  const wait = async (milliseconds: number) => {
    clock.milliseconds += milliseconds;
  };
  return { clock, pace: openPace({ perSecond, now: () => clock.milliseconds, wait }) };
}

/** The most that lie in any second. */
function busiestSecond(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
}

test('a burst of 10,000 goes at the pace, all of it, and takes as long as that takes', async () => {
  const { clock, pace } = virtualPace(14);
  const began = clock.milliseconds;
  const times: number[] = [];
  for (let mail = 0; mail < 10_000; mail++) {
    await pace();
    times.push(clock.milliseconds);
  }
  expect(times).toHaveLength(10_000);
  // Of a sorted list the busiest second begins at one of its members.
  for (let index = 14; index < times.length; index++)
    expect((times[index] ?? 0) - (times[index - 14] ?? 0)).toBeGreaterThanOrEqual(999.9);
  expect(clock.milliseconds - began).toBeLessThan((10_000 / 14) * 1_000 + 1);
});

test('however the mails come, no second holds more than it may', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 80 }),
      async (perSecond, gaps) => {
        const { clock, pace } = virtualPace(perSecond);
        const times: number[] = [];
        for (const gap of gaps) {
          clock.milliseconds += gap;
          await pace();
          times.push(clock.milliseconds);
        }
        expect(busiestSecond(times)).toBeLessThanOrEqual(perSecond);
      },
    ),
  );
});

test('a clock that is put back makes nobody wait for the time that it lost', async () => {
  const { clock, pace } = virtualPace(10);
  await pace();
  clock.milliseconds -= 3_600_000;
  const began = clock.milliseconds;
  for (let mail = 0; mail < 20; mail++) await pace();
  const took = clock.milliseconds - began;
  expect(took).toBeGreaterThanOrEqual(2_000 - 100);
  expect(took).toBeLessThanOrEqual(2_000);
});

test('orders that come all at once are all mailed, each once, at the pace', async () => {
  const post = await openPost();
  const orders: string[] = [];
  for (let count = 0; count < 60; count++) orders.push(await post.ordered('pending'));
  const times: number[] = [];
  post.ses.conduct = () => {
    times.push(post.clock.milliseconds);
    return undefined;
  };
  await post.send(await post.news(...orders));
  expect(post.mail.sent()).toHaveLength(60);
  expect(busiestSecond(times)).toBeLessThanOrEqual(Number(post.config.SLUICE_MAIL_PER_SECOND));
});
