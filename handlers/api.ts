import middy from '@middy/core';
import { app, routes } from '../src/app.ts';
import { apiHandler } from '../src/http/api.ts';

export const handler = middy(apiHandler(app, routes));
