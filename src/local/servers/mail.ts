import { randomUUID } from 'node:crypto';
import { type Answer, listen, type Request, type Running } from './http.ts';
import { openJournal } from './journal.ts';
import { type Draft, problemOf, readDraft, type SentMessage } from './mail/draft.ts';
import { outbox } from './mail/outbox.ts';
import { refusal, result } from './mail/xml.ts';

export type { SentMessage } from './mail/draft.ts';

type Options = {
  port?: number;
  /** Keeps what was sent over a restart. */
  file?: string | undefined;
  /** Refuses a message with an error of SES; undefined lets it through. */
  respond?: (message: Draft) => undefined | { code: string; status: number; message: string };
  now?: () => number;
};
type Mail = Running & {
  /** What was accepted, in that order. */
  sent(): SentMessage[];
  /** Told of each message a moment after it was accepted, as SES reports a delivery. */
  onDelivery(told: (message: SentMessage) => void): void;
};

/** How long after it was accepted a message is delivered. */
const deliveryMilliseconds = 50;

const DAY = 24 * 60 * 60 * 1000;

/** SES (API version 1) on loopback; `GET /` shows what it was given to send. */
export async function startMail(options: Options = {}): Promise<Mail> {
  const { port = 0, file, respond = () => undefined, now = Date.now } = options;
  const journal = openJournal<SentMessage>(file);
  const sent = journal.entries;
  const listeners: ((message: SentMessage) => void)[] = [];
  const identities: string[] = [];

  const actions: Record<string, (form: URLSearchParams) => Answer> = {
    SendEmail: (form) => {
      const draft = readDraft(form);
      const problem = problemOf(draft);
      if (problem !== undefined) return refusal(400, 'InvalidParameterValue', problem);
      const refused = respond(draft);
      if (refused !== undefined) return refusal(refused.status, refused.code, refused.message);
      const at = now();
      const messageId = `${at.toString(16).padStart(16, '0')}-${randomUUID()}-000000`;
      const message = { ...draft, messageId, at };
      journal.add(message);
      for (const told of listeners) setTimeout(told, deliveryMilliseconds, message);
      return result('SendEmail', { MessageId: messageId });
    },
    // -1: nothing is counted against a limit here.
    GetSendQuota: () => {
      const lately = sent.filter(({ at }) => at > now() - DAY).length;
      return result('GetSendQuota', { Max24HourSend: -1, MaxSendRate: 100, SentLast24Hours: lately });
    },
    VerifyEmailIdentity: (form) => {
      identities.push(form.get('EmailAddress') ?? '');
      return result('VerifyEmailIdentity', {});
    },
    ListIdentities: () => result('ListIdentities', { Identities: identities }),
  };

  const server = await listen(port, (request) =>
    request.method === 'GET' ? outbox(request, sent) : act(actions, request),
  );
  return { ...server, sent: () => [...sent], onDelivery: (told) => void listeners.push(told) };
}

function act(actions: Record<string, (form: URLSearchParams) => Answer>, request: Request): Answer {
  const form = new URLSearchParams(request.body);
  const name = form.get('Action') ?? '';
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  return (
    action?.(form) ?? refusal(400, 'InvalidAction', `Could not find operation ${name} for version 2010-12-01`)
  );
}
