/** What goes wrong, and how it is made good: a server that is gone, a batch that failed for good, a bounce. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeRuleCommand, TestEventPatternCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { whySuppressed } from '../../src/mail/suppressed.ts';
import { product } from '../../src/shop/entities/product.ts';
import { historyOf } from '../../src/sinks/audit/history.ts';
import { documentOf, holdOf } from './find.ts';
import { customer, editKettle, kettleName, type Shop } from './items.ts';
import { root } from './processes.ts';
import { expect } from './report.ts';
import { region } from './sealed.ts';

const everyMinute = { 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {} };

export async function parkedAndRedriven({ report, functions, connections, searchWay }: Shop) {
  const hold = () => holdOf(connections, kettleName);
  await searchWay.cut();
  await report.check('search is gone: the delivery is parked', async () => {
    await editKettle({ functions }, { description: 'whistles and glows' });
    const { SLUICE_DELIVERIES_TABLE } = connections.config;
    const missing = `a hold of ${kettleName} in ${SLUICE_DELIVERIES_TABLE} (function project)`;
    await report.eventually(missing, hold, { within: 60 });
  });
  await searchWay.mend();
  await report.check('search is back: redrive brings the document home', async () => {
    await report.eventually(
      `the document of ${kettleName} as it was written meanwhile (function redrive)`,
      async () => {
        await functions.invoke('redrive', everyMinute);
        const found = await documentOf(connections, product, kettleName);
        return found?.description === 'whistles and glows' && (await hold()) === undefined ? true : undefined;
      },
      { within: 60 },
    );
  });
}

/** Lambda's part, the putting there, is done by hand: the mock has no on-failure destination. */
export async function takenFromTheBucket({ report, functions, connections, stackName, bucket }: Shop) {
  const name = 'Customer/USER#ada/PROFILE';
  await report.check('a failed batch in the bucket: redrive takes it up', async () => {
    const payload = readFileSync(join(root, 'events/recorded/customer-registered.json'), 'utf8');
    const s3 = new S3Client({});
    const place = { Bucket: bucket, Key: 'aws/lambda/check/failed.json' };
    const functionArn = `arn:aws:lambda:${region}:000000000000:function:${stackName}-project`;
    const failed = { requestContext: { functionArn }, payload };
    await s3.send(new PutObjectCommand({ ...place, Body: JSON.stringify(failed) }));
    await report.eventually(`that the object is gone from ${bucket} (function redrive)`, async () => {
      await functions.invoke('redrive', everyMinute);
      const answer = await s3.send(new GetObjectCommand(place)).catch((error: Error) => error);
      return answer instanceof Error && answer.name === 'NoSuchKey' ? true : undefined;
    });
    await report.eventually(`a row of ${name} in the audit trail (function redrive)`, async () =>
      (await historyOf(connections, name, 1)).at(0),
    );
  });
}

/** SES's part, the reporting, is done by hand: the mock reports nothing, and no one else may speak as SES. */
export async function reportedBySes({ report, functions, connections, stackName }: Shop) {
  const { eventbridge } = connections;
  await report.check('a bounce: the rule takes it, and the address is suppressed', async () => {
    const event = {
      source: 'aws.ses',
      'detail-type': 'Email Bounced',
      detail: {
        eventType: 'Bounce',
        bounce: { bounceType: 'Permanent', bouncedRecipients: [{ emailAddress: customer.email }] },
        mail: { messageId: 'check', tags: { 'ses:configuration-set': [stackName] } },
      },
    };
    const { EventPattern } = await eventbridge.send(
      new DescribeRuleCommand({ Name: `${stackName}-feedback` }),
    );
    const whole = {
      id: 'check',
      account: '000000000000',
      time: '2026-11-21T00:00:00Z',
      region,
      resources: [],
      ...event,
    };
    const { Result } = await eventbridge.send(
      new TestEventPatternCommand({ EventPattern, Event: JSON.stringify(whole) }),
    );
    expect(Result === true, `The rule ${stackName}-feedback does not match a report of this stack's mail.`);
    await functions.invoke('feedback', event);
    await report.eventually('the suppressed address in the outbox table (function feedback)', () =>
      whySuppressed(connections, customer.email),
    );
  });
}
