/** A whole local home for an app: services, tables, mappings and the engine's own handlers. */
import type { Context, DynamoDBRecord } from 'aws-lambda';
import { redriveHandler } from '../../src/deliveries/handler.ts';
import { type Handlers, type Home, openHome } from '../../src/local/home.ts';
import { scan } from '../../src/local/proof/truth.ts';
import { feedbackHandler } from '../../src/mail/feedback.ts';
import { mailHandler } from '../../src/mail/handler.ts';
import type { App } from '../../src/pipeline/app.ts';
import { type BatchReport, reports } from '../../src/pipeline/report.ts';
import { streamHandler } from '../../src/pipeline/stream.ts';
import { decodeImage } from '../../src/table/attributes.ts';
import type { Fields } from '../../src/table/entity.ts';
import { onDynamoDBLocal, openDynamoDB } from '../support/dynamodb.ts';

const takeAll = async () => ({ batchItemFailures: [] });
const idle: Handlers = {
  project: takeAll,
  notify: takeAll,
  mail: takeAll,
  redrive: async () => {},
  feedback: async () => {},
};

function handlersOf(app: App): Handlers {
  return {
    project: streamHandler(app, 'project'),
    notify: streamHandler(app, 'notify'),
    mail: mailHandler(app),
    redrive: redriveHandler(app),
    feedback: feedbackHandler(),
  };
}

export type OtherHome = Awaited<ReturnType<typeof openOther>>;

export async function openOther(app: App) {
  let current = handlersOf(app);
  const handlers: Handlers = {
    project: (event, context) => current.project(event, context),
    notify: (event, context) => current.notify(event, context),
    mail: (event, context) => current.mail(event, context),
    redrive: (event, context) => current.redrive(event, context),
    feedback: (event, context) => current.feedback(event, context),
  };
  const batches: BatchReport[] = [];
  const listen = (batch: unknown) => batches.push(batch as BatchReport);
  reports.subscribe(listen);
  const onExit = (error: Error) => Promise.reject(error);
  const dynamodb = onDynamoDBLocal ? await openDynamoDB() : undefined;
  if (dynamodb !== undefined) process.env.SLUICE_DYNAMODB_ENDPOINT = dynamodb.url;
  const home = await openHome({ app, handlers, environment: process.env, onExit });
  return {
    home,
    store: home.store,
    batches,
    settle: () => home.settle(),
    /** From now on the stream's readers run another app; without one they do nothing. */
    deploy(other?: App) {
      current = other === undefined ? idle : handlersOf(other);
    },
    /** Every record that the table's stream has shown, in order: one for each write that changed something. */
    records: () => recordsOf(home),
    /** Hands all that the stream has shown to both readers again, the newest first. */
    async replay() {
      const Records = [...recordsOf(home)].reverse();
      for (const reader of ['project', 'notify'] as const) {
        await current[reader]({ Records: structuredClone(Records) }, {} as Context);
      }
      await home.settle();
    },
    /** All that lies in the table. */
    async items(): Promise<Fields[]> {
      const images = await scan(home.store.dynamodb, home.store.tableName);
      return images.map((image) => decodeImage(image));
    },
    async stop() {
      reports.unsubscribe(listen);
      await home.stop();
      await dynamodb?.stop();
    },
  };
}

function recordsOf({ batches }: Home): DynamoDBRecord[] {
  const project = batches.filter((batch) => batch.function === 'project');
  const records = project.flatMap(({ event }) => event.Records);
  return [...new Map(records.map((record) => [record.eventID, record])).values()];
}
