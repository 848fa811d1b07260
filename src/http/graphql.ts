import { Readable } from 'node:stream';
import { createFetch } from '@whatwg-node/fetch';
import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  getOperationAST,
  GraphQLError,
  Kind,
  parse,
  validate,
  type DocumentNode,
  type ExecutionArgs,
} from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Context as KoaContext, Middleware } from 'koa';
import { MAX_COST } from '../../schema/builder.ts';
import { makeContext, type Context, type Services } from '../../schema/context.ts';
import { schema } from '../../schema/schema.ts';
import type { Introspection } from '../config.ts';
import { NotSignedIn, RateLimited, Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
import { forViewer } from '../people/acting.ts';
import type { Viewer } from '../people/permission.ts';
import { announcesMore, LimitedBody, lingering } from './body.ts';
import { asksForPage, showGraphiql } from './graphiql.ts';
import {
  measureQuery,
  measureVariables,
  nestsTooDeep,
  refusal,
  TOO_DEEP,
  topFields,
} from './graphql-limits.ts';
import { comesPlain, makePlain, parsePlain, readBody } from './graphql-plain.ts';
import { logDefect, problem } from './problem.ts';
import type { RateService } from './rate.service.ts';
import { viewerOf } from './session.ts';

const MEGABYTE = 1024 * 1024;
/** A query with its variables, and an upload: a roster's own limit with the wrapping around it. */
const MAX_BODY = { json: 2 * MEGABYTE, upload: 65 * MEGABYTE } as const;
/** Of an upload's parts: the query and where its files go, and the files. */
const UPLOAD_PARTS = { fieldSize: MEGABYTE, fields: 10, files: 100 } as const;

export interface GraphqlRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName?: string | undefined;
}

/** As the door answers in JSON. */
export interface GraphqlAnswer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: { readonly code?: string };
  }[];
}

export interface Graphql {
  readonly door: Middleware;
  /** A question that is in order, and not too large, for this viewer. @throws GraphQLError */
  read(viewer: Viewer | undefined, query: string): DocumentNode;
  /** Asks as somebody who knocks at the door with `ctx`'s token would: through every limit, permission and mask that stands there. */
  ask(ctx: KoaContext, viewer: Viewer | undefined, request: GraphqlRequest): Promise<GraphqlAnswer>;
}

export interface GraphqlOptions {
  readonly log: Log;
  readonly samples: boolean;
  readonly graphiql: boolean;
  readonly introspection: Introspection;
  readonly rates: RateService;
}

interface Asking {
  readonly koa: KoaContext;
  readonly viewer: Viewer | undefined;
  /** It was charged elsewhere. */
  readonly charged?: boolean;
}

/** The GraphQL door, at /graphql. Refusals that a query throws come out as errors with their code; anything else is logged and masked. */
export function makeGraphql(services: Services, options: GraphqlOptions): Graphql {
  const { log, introspection, rates } = options;
  /** What stands in the way of a question before it is looked at; undefined: nothing. */
  const objection = (viewer: Viewer | undefined, query: string): GraphQLError | undefined => {
    const measure = measureQuery(query);
    if (measure === undefined) return undefined;
    if ('refused' in measure) return measure.refused;
    return measure.measured.introspects && !mayIntrospect(introspection, viewer)
      ? refusal('INTROSPECTION_OFF', NO_INTROSPECTION[introspection])
      : undefined;
  };
  const limits: Plugin<Asking> = {
    onParams({ params, context, setResult }) {
      // Whatever came; its shape is judged elsewhere.
      const { query, variables } = params as { query?: unknown; variables?: unknown };
      if (typeof query !== 'string') return;
      const wrong = objection((context as Asking).viewer, query) ?? measureVariables(variables);
      if (wrong !== undefined) setResult({ errors: [wrong] });
    },
    /** Both ways lead through here: a large question costs more than the one unit of any request, and some fields have a bucket of their own. */
    async onExecute({ args, setResultAndStopExecution }) {
      const { koa, viewer, charged = false } = args.contextValue as unknown as Asking;
      if (charged) return;
      try {
        const units = Math.floor(costOf(args) / UNIT);
        if (units > 0) await rates.charge(koa, viewer, units);
        const fields = topFields(args.document, args.operationName ?? undefined);
        const signIns = fields.filter((name) => name.startsWith('signIn')).length;
        if (signIns > 0) await rates.chargeFor(koa, 'signIn', viewer, signIns);
        const lookUps =
          viewer === undefined ? fields.filter((name) => name === 'verifyCertificate').length : 0;
        if (lookUps > 0) await rates.chargeFor(koa, 'verification', viewer, lookUps);
      } catch (error) {
        if (!(error instanceof RateLimited)) throw error;
        setResultAndStopExecution({ errors: [rateLimited(error)] });
      }
    },
    onResultProcess({ result, ...hook }) {
      if (introspection === 'everyone' || Array.isArray(result) || !('errors' in result)) return;
      // Names that were not asked for would tell the contract piece by piece.
      hook.setResult({ ...result, errors: result.errors?.map(withoutSuggestion) ?? [] });
    },
  };
  const yoga = createYoga<Asking, Context>({
    schema,
    logging: false,
    landingPage: false,
    graphiql: false,
    // Answered for both ways alike, before either.
    cors: false,
    graphqlEndpoint: '/graphql',
    plugins: [limits],
    multipart: true,
    fetchAPI: createFetch({ formDataLimits: UPLOAD_PARTS }),
    // The body is held to our own limits before it comes here; Yoga's usual 25 MB would refuse a province's roster.
    maxRequestBodySize: false,
    maskedErrors: {
      maskError: (error) => {
        const original = error instanceof GraphQLError ? error.originalError : error;
        if (original instanceof Refusal)
          return new GraphQLError(original.message, {
            ...(error instanceof GraphQLError
              ? { nodes: error.nodes ?? null, path: error.path ?? null }
              : {}),
            extensions: { code: original.code },
          });
        if (error instanceof GraphQLError && (original === undefined || original instanceof GraphQLError))
          return error;
        const id = logDefect(log, original, 'defect in a resolver');
        return new GraphQLError(`Something went wrong on our side; tell the operator this id: ${id}`, {
          extensions: { code: 'INTERNAL' },
        });
      },
    },
    context: ({ viewer }) => makeContext(services, viewer),
  });
  const answerPlain = makePlain(yoga, schema);
  const door: Middleware = async (ctx) => {
    if (options.graphiql && asksForPage(ctx)) {
      await showGraphiql(ctx, options);
      return;
    }
    // A page elsewhere can send other types without asking first (Fetch standard, CORS-safelisted request headers).
    if (
      ctx.method === 'POST' &&
      ctx.is('application/json', 'application/graphql+json', 'multipart/form-data') === false
    ) {
      problem(ctx, 415, 'UNSUPPORTED_TYPE', 'Ask as application/json, or upload as multipart/form-data.');
      return;
    }
    const viewer = viewerOf(ctx);
    try {
      await rates.charge(ctx, viewer);
    } catch (error) {
      if (!(error instanceof RateLimited)) throw error;
      refuseRate(ctx, error);
      return;
    }
    const upload = ctx.is('multipart') !== false && ctx.is('multipart') !== null;
    if (upload && viewer === undefined) throw new NotSignedIn();
    if (upload) await rates.chargeFor(ctx, 'upload', viewer);
    const limit = upload ? MAX_BODY.upload : MAX_BODY.json;
    if (announcesMore(ctx.req, limit)) {
      refuseBody(ctx, limit);
      return;
    }
    /** What Yoga reads; a GET has none. */
    let body: Readable | undefined;
    if (upload) body = new LimitedBody(ctx.req, limit);
    else if (ctx.method === 'POST') {
      const plain = comesPlain(ctx, limit);
      const coming = plain ? ctx.req : new LimitedBody(ctx.req, limit);
      const bytes = await readBody(coming);
      if (coming instanceof LimitedBody && coming.exceeded) {
        refuseBody(ctx, limit);
        return;
      }
      if (bytes === undefined) return;
      if (nestsTooDeep(bytes)) {
        answerError(ctx, 400, 'QUERY_TOO_LARGE', TOO_DEEP);
        return;
      }
      const request = plain ? parsePlain(bytes) : undefined;
      const answer =
        request === undefined ||
        objection(viewer, request.query) !== undefined ||
        measureVariables(request.variables) !== undefined
          ? undefined
          : await answerPlain({ koa: ctx, viewer }, request);
      if (answer !== undefined) {
        ctx.body = answer;
        ctx.type = 'application/json; charset=utf-8';
        return;
      }
      body = Readable.from([bytes]);
    }
    // Where Yoga looks for a body that was read before it.
    if (body !== undefined) Object.assign(ctx.req, { body });
    const response = await yoga.handleNodeRequestAndResponse(ctx.req, ctx.res, { koa: ctx, viewer });
    if (body instanceof LimitedBody && body.exceeded) {
      refuseBody(ctx, limit);
      return;
    }
    for (const [name, value] of response.headers) ctx.append(name, value);
    ctx.body = response.body;
    // After the body, since Koa makes an empty one a 204.
    ctx.status = response.status;
  };

  return {
    door,
    read(viewer, query) {
      const wrong = objection(viewer, query);
      if (wrong !== undefined) throw wrong;
      const document = parse(query);
      const [error] = validate(schema, document, undefined, {
        hideSuggestions: introspection !== 'everyone',
      });
      if (error !== undefined) throw error;
      return document;
    },
    async ask(koa, viewer, request) {
      // Also where the request that it came with has been left by now.
      return forViewer(viewer, async () => {
        const response = await yoga.fetch(
          `${services.publicUrl}/graphql`,
          {
            method: 'POST',
            headers: { 'content-type': 'application/json', accept: 'application/json' },
            body: JSON.stringify(request),
          },
          { koa, viewer, charged: true },
        );
        return (await response.json()) as GraphqlAnswer;
      });
    },
  };
}

/** So much of the contract's own measure of cost is one unit more. */
const UNIT = 100;

/** By the contract's own measure; 0 for what execution will refuse anyhow. */
function costOf({ document, operationName, variableValues }: ExecutionArgs): number {
  const operation = getOperationAST(document, operationName);
  if (operation === null || operation === undefined) return 0;
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  try {
    const { complexity } = complexityFromQuery(
      { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] },
      { schema, variables: { ...variableValues } },
    );
    return complexity > MAX_COST ? 0 : complexity;
  } catch {
    return 0;
  }
}

function rateLimited({ code, message, retryAfter }: RateLimited): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code, retryAfter, http: { status: 429, headers: { 'Retry-After': String(retryAfter) } } },
  });
}

function refuseRate(ctx: KoaContext, { code, message, retryAfter }: RateLimited): void {
  ctx.set('Retry-After', String(retryAfter));
  answerError(ctx, 429, code, message, { retryAfter });
}

/** Before the question is read; told as GraphQL tells it. */
function answerError(
  ctx: KoaContext,
  status: number,
  code: string,
  message: string,
  more: object = {},
): void {
  ctx.status = status;
  ctx.body = JSON.stringify({ errors: [{ message, extensions: { code, ...more } }] });
  ctx.type = 'application/json; charset=utf-8';
}

const NO_INTROSPECTION: Readonly<Record<Introspection, string>> = {
  everyone: '',
  'signed-in': 'What can be asked here is told to who is signed in.',
  nobody: 'What can be asked here is not told; it stands in the source, as schema/schema.graphql.',
};

function mayIntrospect(introspection: Introspection, viewer: Viewer | undefined): boolean {
  return introspection === 'everyone' || (introspection === 'signed-in' && viewer !== undefined);
}

function withoutSuggestion(error: GraphQLError): GraphQLError {
  const message = error.message.replace(/ Did you mean [^]*\?$/, '');
  return message === error.message
    ? error
    : new GraphQLError(message, {
        nodes: error.nodes ?? null,
        source: error.source ?? null,
        positions: error.positions ?? null,
        path: error.path ?? null,
        extensions: error.extensions,
      });
}

/** @param limit bytes */
function refuseBody(ctx: KoaContext, limit: number): void {
  problem(ctx, 413, 'BODY_TOO_LARGE', `The body is larger than ${limit / MEGABYTE} MB.`);
  const text = ctx.body as string;
  ctx.body = Readable.from(lingering(text, ctx.req));
  ctx.type = 'application/problem+json';
  // By its length the caller knows the end of the answer while the connection is still open.
  ctx.length = Buffer.byteLength(text);
  ctx.set('Connection', 'close');
}
