/** Everything at once. */
import * as z from 'zod/mini';
import { defineEntity } from '../../../src/table/entity.ts';
import { became, created, increased, removed } from '../../../src/table/rules.ts';

const receipt = {
  subject: 'Your loan: <%= it.title %>',
  text: 'Bring it back by <%= it.due %>.\n',
  html: '<!doctype html>\n<html lang="en"><body><p>Bring it back by <%= it.due %>.</p></body></html>\n',
};

const thanks = {
  subject: 'Thank you for <%= it.title %>',
  text: 'It is back.\n',
  html: '<!doctype html>\n<html lang="en"><body><p>It is back.</p></body></html>\n',
};

export const loan = defineEntity({
  name: 'library/loan',
  schema: z.object({
    loanId: z.string().check(z.minLength(1)),
    reader: z.string().check(z.minLength(1)),
    email: z.string().check(z.email()),
    title: z.string(),
    state: z.enum(['out', 'back', 'lost']),
    renewals: z.int().check(z.nonnegative()),
    due: z.iso.date(),
  }),
  key: { pk: 'READER#{reader}', sk: 'LOAN#{loanId}', from: 'request' },
  indexes: { 'loans-by.State_2': { pk: 'LOANS#{state}', sk: '{due}#{loanId}' } },
  steps: { state: { out: ['back', 'lost'], back: [], lost: ['back'] } },
  personal: ['email'],
  search: {
    index: 'loans',
    fields: { loanId: 'keyword', title: 'text', state: 'keyword', due: 'date' },
    document: ({ loanId, title, state, due }) => ({ loanId, title, state, due }),
  },
  cache: ({ reader, loanId }) => [`loan:${loanId}`, `reader:${reader}:loans`],
  events: {
    BookLent: created(),
    LoanRenewed: increased('renewals'),
    BookReturned: became('state', 'back'),
    LoanRemoved: removed(),
  },
  emails: {
    receipt: { on: 'BookLent', policy: 'atMostOnce', to: ({ email }) => email, template: receipt },
    thanks: { on: 'BookReturned', policy: 'atLeastOnce', to: ({ email }) => email, template: thanks },
  },
  audit: { redact: ['email'] },
});
