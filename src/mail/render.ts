/** Mail from templates. Eta escapes what goes into HTML; text and subject are plain. */
import { Eta } from 'eta';
import type { EmailTemplate } from '../table/entity.ts';

export type Rendered = { subject: string; text: string; html: string };

// What a template says stands: by default Eta swallows the line break after a tag, and two lines become one.
const autoTrim: [false, false] = [false, false];
const html = new Eta({ autoEscape: true, autoTrim });
const plain = new Eta({ autoEscape: false, autoTrim });

export function render(template: EmailTemplate, item: Readonly<Record<string, unknown>>): Rendered {
  return {
    subject: subjectLine(plain.renderString(template.subject, item)),
    text: plain.renderString(template.text, item),
    html: html.renderString(template.html, item),
  };
}

const longestSubject = 200; // a mail's line holds 998 bytes (RFC 5322), and no client shows as many

/** One short line: what stands in a field must not begin a header, nor turn the direction of what follows. */
function subjectLine(text: string): string {
  const line = text
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    .trim();
  return line.length > longestSubject ? `${line.slice(0, longestSubject - 1).toWellFormed()}…` : line;
}
