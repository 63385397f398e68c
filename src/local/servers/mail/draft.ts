/** An email as a caller handed it in. */
export type Draft = {
  source: string;
  to: string[];
  cc: string[];
  bcc: string[];
  replyTo: string[];
  subject: string;
  text: string | undefined;
  html: string | undefined;
  tags: Record<string, string>;
};

export type SentMessage = Draft & { messageId: string; at: number };

/** Lists arrive as `Destination.ToAddresses.member.1`, `.2`, … */
export function readDraft(form: URLSearchParams): Draft {
  const list = (name: string): string[] => {
    const values: string[] = [];
    for (let index = 1; form.has(`${name}.member.${index}`); index++) {
      values.push(form.get(`${name}.member.${index}`) ?? '');
    }
    return values;
  };
  const tags: Record<string, string> = {};
  for (let index = 1; form.has(`Tags.member.${index}.Name`); index++) {
    tags[form.get(`Tags.member.${index}.Name`) ?? ''] = form.get(`Tags.member.${index}.Value`) ?? '';
  }
  return {
    source: form.get('Source') ?? '',
    to: list('Destination.ToAddresses'),
    cc: list('Destination.CcAddresses'),
    bcc: list('Destination.BccAddresses'),
    replyTo: list('ReplyToAddresses'),
    subject: form.get('Message.Subject.Data') ?? '',
    text: form.get('Message.Body.Text.Data') ?? undefined,
    html: form.get('Message.Body.Html.Data') ?? undefined,
    tags,
  };
}

/** Why SES would not take it, if so. One bad address refuses the whole message (API reference of SendEmail). */
export function problemOf(draft: Draft): string | undefined {
  const { source, subject, text, html, tags } = draft;
  const recipients = [...draft.to, ...draft.cc, ...draft.bcc];
  if (source === '') return "Missing required header 'From'.";
  if (recipients.length === 0) return "Missing required header 'To'.";
  if (recipients.length > 50) return 'Recipient count exceeds 50.';
  if (subject === '') return "Missing required header 'Subject'.";
  if (hasControl(subject)) return "Header 'Subject' contains control characters.";
  if (!text && !html) return 'Message body is empty.';
  for (const address of [source, ...recipients, ...draft.replyTo]) {
    const problem = problemOfAddress(address);
    if (problem !== undefined) return `${problem}: ${JSON.stringify(address)}`;
  }
  const badTag = Object.entries(tags)
    .flat()
    .find((part) => !TAG_PART.test(part));
  return badTag === undefined ? undefined : `Invalid tag name or value: ${JSON.stringify(badTag)}`;
}

const TAG_PART = /^[A-Za-z0-9_-]{1,256}$/; // API reference of MessageTag

/** Plain, or after a name: `Ann <ann@example.com>`; 7-bit only, as SES has no SMTPUTF8 (SendEmail). */
function problemOfAddress(text: string): string | undefined {
  if (hasControl(text)) return 'Local address contains control or whitespace';
  const named = /^(?:"(?:[^"\\]|\\.)*"\s*|[^"<>,;@]*)<([^<>]*)>$/.exec(text.trim());
  const address = named?.[1] ?? text.trim();
  if (!address.includes('@')) return "Missing final '@domain'";
  const wellFormed = /^[!#-'*+\-./0-9=?A-Z^_`a-z{|}~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(address);
  return wellFormed ? undefined : 'Illegal address';
}

const hasControl = (text: string): boolean => /\p{Cc}/u.test(text);
