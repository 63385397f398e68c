import middy from '@middy/core';
import { app } from '../src/app.ts';
import { redriveHandler } from '../src/deliveries/handler.ts';

export const handler = middy(redriveHandler(app));
