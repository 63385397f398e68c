/** A queue of SQS on a mock of AWS: what a bus delivers to, asked past any client. */
type Answer = { QueueUrl?: string; Messages?: { Body: string; ReceiptHandle: string }[] };

const authorization =
  'AWS4-HMAC-SHA256 Credential=test/20261121/eu-central-1/sqs/aws4_request, SignedHeaders=host, Signature=none';

export async function openQueue(endpoint: string, name: string) {
  const ask = async (operation: string, body: object): Promise<Answer> => {
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${operation}`,
      authorization,
    };
    const reply = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${operation}: ${text}`);
    return text === '' ? {} : JSON.parse(text);
  };
  const { QueueUrl } = await ask('CreateQueue', { QueueName: name });
  return {
    arn: `arn:aws:sqs:eu-central-1:${new URL(QueueUrl ?? '').pathname.split('/').at(-2)}:${name}`,
    /** What lies there, and is taken away. */
    async taken(): Promise<string[]> {
      const { Messages = [] } = await ask('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 });
      for (const { ReceiptHandle } of Messages) await ask('DeleteMessage', { QueueUrl, ReceiptHandle });
      return Messages.map(({ Body }) => Body);
    },
    remove: () => ask('DeleteQueue', { QueueUrl }),
  };
}
