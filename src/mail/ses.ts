/** One mail to SES, and what its answer means: sent, refused, not sent, or nobody knows. */
import { SendEmailCommand } from '@aws-sdk/client-ses';
import type { Connections } from '../connections.ts';
import type { Rendered } from './render.ts';
import { type MailRow, tagOf } from './row.ts';

export type MailOutcome =
  | { outcome: 'sent'; messageId: string }
  /** A definite no that a repeat will not change. */
  | { outcome: 'refused'; reason: string }
  /** A definite no for now, such as a throttle or a missing right: it may be tried again. */
  | { outcome: 'notSent'; reason: string }
  /** The reply is missing: it may have gone out. */
  | { outcome: 'unknown'; reason: string };

/** The message tag that carries the row, so that what SES reports can be told apart: letters, digits, "_" and "-". */
export const rowTag = 'sluice-row';

/** The message tag of a mail that a person asked for by a replay. */
export const replayTag = 'sluice-replay';

export async function sendMail(
  connections: Connections,
  row: MailRow,
  to: string,
  mail: Rendered,
): Promise<MailOutcome> {
  const content = (Data: string) => ({ Data, Charset: 'UTF-8' });
  const { SLUICE_SENDER: Source, SLUICE_SES_CONFIGURATION_SET: reporting } = connections.config;
  const command = new SendEmailCommand({
    Source,
    // SES reports only of mail that names the set.
    ...(reporting !== undefined && { ConfigurationSetName: reporting }),
    Destination: { ToAddresses: [to] },
    Message: { Subject: content(mail.subject), Body: { Text: content(mail.text), Html: content(mail.html) } },
    Tags: [{ Name: rowTag, Value: tagOf(row) }, ...(row.replay ? [{ Name: replayTag, Value: 'true' }] : [])],
  });
  let asked = false;
  command.middlewareStack.add(
    (next) => (request) => {
      asked = true;
      return next(request);
    },
    { step: 'deserialize', priority: 'low' }, // the last before the request goes out
  );
  try {
    const { MessageId } = await connections.ses.send(command);
    return MessageId === undefined
      ? { outcome: 'unknown', reason: 'no message id' }
      : { outcome: 'sent', messageId: MessageId };
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(String(error));
    // Without credentials, say, no request was ever made.
    return asked ? outcomeOf(thrown) : { outcome: 'notSent', reason: thrown.name };
  }
}

/**
 * What SES says to this very mail. Any other refusal is about the sender: its rate, its rights, its account. So is
 * `MessageRejected`: an identity that is not verified, an account that is suspended or in the sandbox (SES developer
 * guide, Email sending errors). What SES has against the content it reports later, as `Reject`.
 */
const refusals = new Set([
  'InvalidParameterValue',
  'InvalidParameterCombination',
  'MissingParameter',
  'ValidationError',
]);

function outcomeOf(error: Error & { code?: string; $metadata?: { httpStatusCode?: number } }): MailOutcome {
  const reason = error.name;
  if (['Throttling', 'ThrottlingException', 'LimitExceededException'].includes(reason))
    return { outcome: 'notSent', reason };
  // The connection was never made, so nothing was sent.
  if (['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(error.code ?? ''))
    return { outcome: 'notSent', reason: error.code ?? reason };
  const status = error.$metadata?.httpStatusCode ?? 0;
  if (status < 400 || status >= 500 || status === 408) return { outcome: 'unknown', reason };
  return { outcome: refusals.has(reason) ? 'refused' : 'notSent', reason };
}
