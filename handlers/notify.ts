import middy from '@middy/core';
import { app } from '../src/app.ts';
import { streamHandler } from '../src/pipeline/stream.ts';

export const handler = middy(streamHandler(app, 'notify'));
