import type { Readable } from 'node:stream';
import { getOperationAST, parse, validate, type DocumentNode, type GraphQLSchema } from 'graphql';
import type { createYoga } from 'graphql-yoga';
import type { Context } from 'koa';
import type { GraphqlRequest } from './graphql.ts';

/*
 * Nearly every query is JSON of a known length and wants JSON back. Yoga makes a fetch-style request and response of it, which takes
 * longer than most of the queries, so these go straight to Yoga's own parser, plugins and executor. Whatever is unusual, down to a query
 * that does not parse, is left to Yoga as it came.
 */

type Yoga = Pick<ReturnType<typeof createYoga>, 'getEnveloped'>;

/** Whether a request is of this kind. @param limit of the body, in bytes. */
export function comesPlain(ctx: Context, limit: number): boolean {
  return (
    ctx.method === 'POST' &&
    /^application\/json(?:; ?charset=utf-8)?$/i.test(ctx.get('content-type')) &&
    ['', '*/*', 'application/json'].includes(ctx.get('accept')) &&
    ctx.get('content-encoding') === '' &&
    // Node holds a body to the length it announces.
    /^\d+$/.test(ctx.get('content-length')) &&
    Number(ctx.get('content-length')) <= limit
  );
}

/** The whole body; undefined: the caller left before its end. */
export async function readBody(body: Readable): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

/** @returns undefined for what is no plain query. */
export function parsePlain(body: Buffer): GraphqlRequest | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (
    !isObject(json) ||
    Object.keys(json).some((key) => !['query', 'variables', 'operationName'].includes(key))
  )
    return undefined;
  const { query, variables = null, operationName = null } = json;
  if (typeof query !== 'string') return undefined;
  if (
    (variables !== null && !isObject(variables)) ||
    (operationName !== null && typeof operationName !== 'string')
  )
    return undefined;
  return { query, variables: variables ?? {}, operationName: operationName ?? undefined };
}

/** So many texts of queries are known to be in order; programs ask the same few again and again. */
const KNOWN = 1_000;

/** @returns a function that answers in JSON; undefined where nothing was executed, since the query is not in order. */
export function makePlain(yoga: Yoga, schema: GraphQLSchema) {
  const inOrder = new Set<string>();
  // Apart from Yoga's own look at it: an error that came of that would be kept, and answered otherwise the next time.
  const isInOrder = (query: string): boolean => {
    if (inOrder.has(query)) return true;
    try {
      if (validate(schema, parse(query)).length > 0) return false;
    } catch {
      return false;
    }
    if (inOrder.size === KNOWN) inOrder.clear();
    inOrder.add(query);
    return true;
  };

  /** @param context as Yoga takes it. */
  return async (context: object, request: GraphqlRequest): Promise<string | undefined> => {
    if (!isInOrder(request.query)) return undefined;
    const enveloped = yoga.getEnveloped({ ...context, params: request });
    const document: DocumentNode = enveloped.parse(request.query);
    if (enveloped.validate(schema, document).length > 0) return undefined;
    // None, or one of several that is not named.
    if (getOperationAST(document, request.operationName) === null) return undefined;
    const result: unknown = await enveloped.execute({
      schema,
      document,
      contextValue: await enveloped.contextFactory(),
      variableValues: request.variables,
      operationName: request.operationName,
    });
    return isObject(result) && 'data' in result ? JSON.stringify(result) : undefined;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
