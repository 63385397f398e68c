import middy from '@middy/core';
import { feedbackHandler } from '../src/mail/feedback.ts';

export const handler = middy(feedbackHandler());
