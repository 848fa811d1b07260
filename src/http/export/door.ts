import { GraphQLError, Kind, visit, type DocumentNode } from 'graphql';
import type { Context as KoaContext, Middleware } from 'koa';
import { z } from 'zod';
import type { Services } from '../../../schema/context.ts';
import { schema } from '../../../schema/schema.ts';
import { chinaDay, type Clock } from '../../clock.ts';
import { InvalidInput } from '../../errors.ts';
import { insertJournalEntry } from '../../journal/journal.repository.ts';
import type { CellToWrite } from '../../sheets/cells.ts';
import { writeCsv } from '../../sheets/csv.ts';
import { writeWorkbook } from '../../sheets/write.ts';
import { download } from '../download.ts';
import { LimitedBody } from '../body.ts';
import { nestsTooDeep, TOO_DEEP } from '../graphql-limits.ts';
import type { Graphql, GraphqlAnswer } from '../graphql.ts';
import { problem } from '../problem.ts';
import { requireViewerAnew } from '../session.ts';
import type { RateService } from '../rate.service.ts';
import type { Viewer } from '../../people/permission.ts';
import { planTable, type Plan } from './plan.ts';
import { formatOf, rowsOf, valueAt } from './rows.ts';
import { titlesOf } from './words.ts';

const MEGABYTE = 1024 * 1024;
const MAX_BODY = 2 * MEGABYTE;
const MAX_NAME = 100;
/** Objects that a journal entry names. */
const MAX_ABOUT = 20;

const exportRequest = z.strictObject({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().max(MAX_NAME).nullish(),
  format: z.enum(['csv', 'xlsx']),
  language: z.enum(['zh-CN', 'en']).default('zh-CN'),
  /** Titles of columns by their path. */
  titles: z.record(z.string(), z.string().max(200)).default({}),
  /** Of the file and its sheet. */
  name: z.string().max(MAX_NAME).optional(),
});
type ExportRequest = z.infer<typeof exportRequest>;

/** What GraphQL answered instead of a page, with the status that goes with its code. */
class PageRefused extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
    this.status = STATUS[code] ?? 422;
  }
}

const STATUS: Readonly<Record<string, number>> = {
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  BAD_USER_INPUT: 400,
  INVALID_INPUT: 400,
  QUERY_TOO_LARGE: 400,
  INTROSPECTION_OFF: 400,
  RATE_LIMITED: 429,
  NOT_SIGNED_IN: 401,
  NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  INTERNAL: 500,
};

/**
 * The door to tables as files, at `POST /export`: a query of the contract is asked page by page through the GraphQL door and its rows are streamed
 * (decision 11). What is wrong before the first byte is a problem response; afterwards the connection breaks, so that no part looks like the whole.
 * @param clock stamps the journal and the file's name. @param admit lets in who is signed in.
 */
export function exportDoor(
  services: Services,
  graphql: Graphql,
  { clock, rates, admit }: { clock: Clock; rates: RateService; admit: (ctx: KoaContext) => Promise<Viewer> },
): Middleware {
  return async (ctx) => {
    const viewer = await admit(ctx);
    // Its pages are not charged one by one: a large table must come to its end.
    await rates.chargeFor(ctx, 'export', viewer);
    const request = await readRequest(ctx);
    if (request === undefined) return;
    try {
      const document = readQuery(graphql, viewer, request.query);
      const plan = planTable(schema, document, {
        operationName: request.operationName ?? undefined,
        variables: request.variables ?? {},
      });
      const keys = plan.columns.map(({ path }) => path.join('.'));
      const unknown = Object.keys(request.titles).find((key) => !keys.includes(key));
      if (unknown !== undefined)
        throw new InvalidInput('titles', `There is no column ${unknown}; there are ${keys.join(', ')}.`);

      const ask = async (variables: Readonly<Record<string, unknown>>): Promise<Page> => {
        // Anew for each page: a session that has ended, or a grant, ends the export too.
        const current = await requireViewerAnew(ctx, services.sessions);
        const answer = await graphql.ask(ctx, current, {
          query: request.query,
          variables,
          ...(typeof request.operationName === 'string' ? { operationName: request.operationName } : {}),
        });
        return pageOf(plan, answer);
      };
      const first = await ask(request.variables ?? {});
      const about = namedIn(document, request.variables ?? {});
      await insertJournalEntry(services.db, {
        at: clock.now(),
        actor: `person:${viewer.personId}`,
        action: 'table.export',
        subject: 'table:all',
        detail: {
          table: plan.sourceFields.join('.'),
          operation: plan.operationName?.slice(0, MAX_NAME) ?? null,
          format: request.format,
          about,
        },
        units: await services.audit.unitsOfTable(viewer, about),
      });
      send(ctx, request, plan, pagesFrom(first, request, ask), chinaDay(clock.now()));
    } catch (error) {
      if (!(error instanceof PageRefused)) throw error;
      problem(ctx, error.status, error.code, error.message);
    }
  };
}

/** @returns undefined when it was answered already. @throws InvalidInput */
async function readRequest(ctx: KoaContext): Promise<ExportRequest | undefined> {
  if (typeof ctx.is('json') !== 'string') {
    problem(ctx, 415, 'NOT_JSON', 'Send the request as application/json.');
    return undefined;
  }
  const body = new LimitedBody(ctx.req, MAX_BODY);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch (error) {
    if (!body.exceeded) throw error;
    // What is left of it is not read.
    ctx.set('Connection', 'close');
    problem(ctx, 413, 'BODY_TOO_LARGE', `The body is larger than ${MAX_BODY / MEGABYTE} MB.`);
    return undefined;
  }
  const bytes = Buffer.concat(chunks);
  if (nestsTooDeep(bytes)) throw new InvalidInput('', TOO_DEEP);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    throw new InvalidInput('', 'The body is not JSON.');
  }
  const read = exportRequest.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const path = issue!.path.join('.');
  throw new InvalidInput(path, path === '' ? issue!.message : `${path}: ${issue!.message}`);
}

/** A valid document. Judged before it is planned; the GraphQL door judges it again. @throws PageRefused */
function readQuery(graphql: Graphql, viewer: Viewer, query: string): DocumentNode {
  try {
    return graphql.read(viewer, query);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const { code } = error.extensions;
    throw new PageRefused(
      typeof code === 'string'
        ? code
        : error.message.startsWith('Syntax Error')
          ? 'GRAPHQL_PARSE_FAILED'
          : 'GRAPHQL_VALIDATION_FAILED',
      placed(error),
    );
  }
}

function placed({ message, locations }: GraphQLError): string {
  const [place] = locations ?? [];
  return place === undefined ? message : `${message} (line ${place.line}, column ${place.column})`;
}

interface Page {
  readonly nodes: readonly unknown[];
  /** Where the next page begins; undefined after the last. */
  readonly next: string | undefined;
}

/** @throws PageRefused */
function pageOf({ source, connection }: Plan, { data, errors }: GraphqlAnswer): Page {
  // Also where GraphQL answers the rest: a table that lacks something must not look whole.
  const [error] = errors ?? [];
  if (error !== undefined) throw new PageRefused(error.extensions?.code ?? 'GRAPHQL_FAILED', error.message);
  const found = valueAt(data, source);
  // An empty table would say that there is nobody.
  if (found === null)
    throw new PageRefused(
      'NOT_FOUND',
      `There is no ${source.join('.')}: it is not there or not yours to see.`,
    );
  if (connection === undefined) return { nodes: Array.isArray(found) ? found : [found], next: undefined };
  const info = valueAt(found, [connection.pageInfo]);
  const end = valueAt(info, [connection.endCursor]);
  return {
    nodes: valueAt(found, [connection.nodes]) as readonly unknown[],
    next: valueAt(info, [connection.hasNextPage]) === true && typeof end === 'string' ? end : undefined,
  };
}

/** The first page and those after it, each asked when the one before has been taken. */
async function* pagesFrom(
  first: Page,
  { variables }: ExportRequest,
  ask: (variables: Readonly<Record<string, unknown>>) => Promise<Page>,
): AsyncGenerator<Page> {
  let page = first;
  for (;;) {
    yield page;
    const { next } = page;
    if (next === undefined) return;
    page = await ask({ ...variables, after: next });
    if (page.next === next) throw new Error('A page ends where it began.');
  }
}

function send(
  ctx: KoaContext,
  { format, language, titles: asked, name }: ExportRequest,
  plan: Plan,
  pages: AsyncIterable<Page>,
  day: string,
): void {
  async function* rows(): AsyncGenerator<CellToWrite[]> {
    for await (const { nodes } of pages) for (const node of nodes) yield* rowsOf(plan, node, language);
  }
  const titles = titlesOf(plan.columns, asked, language);
  const called = name ?? plan.operationName?.slice(0, MAX_NAME) ?? plan.sourceFields.at(-1)!;
  ctx.set('Cache-Control', 'private, no-store');
  download(
    ctx,
    `${called} ${day}.${format}`,
    format === 'csv'
      ? writeCsv({ columns: titles.map((title) => ({ title })), rows: rows() })
      : writeWorkbook({
          language,
          title: called,
          sheets: [
            {
              name: called,
              columns: plan.columns.map((column, at) => {
                const format = formatOf(column);
                // A day that does not fit is shown as ####.
                return { title: titles[at]!, format, ...(format === 'date' ? { width: 14 } : {}) };
              }),
              rows: rows(),
              freezeHeader: true,
              autoFilter: true,
            },
          ],
        }),
  );
}

/** The objects that a query is about: global ids and division codes among its variables and in its text, as `Division:430121`. */
function namedIn(document: DocumentNode, variables: Readonly<Record<string, unknown>>): string[] {
  const texts = Object.values(variables).filter((value) => typeof value === 'string');
  visit(document, { [Kind.STRING]: ({ value }) => void texts.push(value) });
  const ids = texts
    .filter((text) => text.length <= 100)
    .map((text) => (/^\d{6}$/.test(text) ? `Division:${text}` : Buffer.from(text, 'base64').toString()))
    .filter((text) => /^[A-Z]\w{1,40}:\d{1,18}$/.test(text));
  return [...new Set(ids)].slice(0, MAX_ABOUT);
}
