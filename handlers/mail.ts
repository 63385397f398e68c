import middy from '@middy/core';
import { app } from '../src/app.ts';
import { mailHandler } from '../src/mail/handler.ts';

export const handler = middy(mailHandler(app));
