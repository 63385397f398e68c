import type { App } from '../pipeline/app.ts';
import { allSinks } from '../replay/plan.ts';

/** The names of an app's sinks, switched on or not. */
export function sinkNames(app: App): string[] {
  return allSinks(app).map(({ name }) => name);
}
