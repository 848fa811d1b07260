import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Context as KoaContext, Middleware } from 'koa';
import { makeContext, type Context, type Services } from '../../schema/context.ts';
import { schema } from '../../schema/schema.ts';
import { NotSignedIn, Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
import { forViewer } from '../people/acting.ts';
import type { Viewer } from '../people/permission.ts';
import { announcesMore, LimitedBody, lingering } from './body.ts';
import { withSession } from './graphiql-session.ts';
import { comesPlain, makePlain, parsePlain, readBody } from './graphql-plain.ts';
import { problem } from './problem.ts';
import { viewerOf } from './session.ts';

export const MAX_QUERY_CHARACTERS = 20_000;
const MEGABYTE = 1024 * 1024;
/** A query with its variables, and an upload: a roster's own limit with the wrapping around it. */
const MAX_BODY = { json: 2 * MEGABYTE, upload: 65 * MEGABYTE } as const;

const sizeLimit: Plugin = {
  onParams({ params, setResult }) {
    if ((params.query?.length ?? 0) > MAX_QUERY_CHARACTERS) {
      setResult({
        errors: [
          new GraphQLError(`A query has at most ${MAX_QUERY_CHARACTERS} characters.`, {
            extensions: { code: 'QUERY_TOO_LARGE' },
          }),
        ],
      });
    }
  },
};

const EXAMPLE = `# Xinqiao: who am I, and what may I see?
{
  viewer {
    person { name staffNumber }
    posts { role organization { name } }
  }
  certifications(first: 5) {
    nodes { id code title }
  }
}
`;

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
  /** Asks as somebody who knocks at the door with `ctx`'s token would: through every limit, permission and mask that stands there. */
  ask(ctx: KoaContext, viewer: Viewer | undefined, request: GraphqlRequest): Promise<GraphqlAnswer>;
}

/**
 * The GraphQL door, at /graphql. Refusals that a query throws come out as errors with their code; anything else is logged and masked.
 * @param samples GraphiQL opens with the header of the sample coordinator filled in, or of `?as=<key>`.
 */
export function makeGraphql(services: Services, { log, samples }: { log: Log; samples: boolean }): Graphql {
  const yoga = createYoga<{ koa: KoaContext; viewer: Viewer | undefined }, Context>({
    schema,
    logging: false,
    landingPage: false,
    graphqlEndpoint: '/graphql',
    plugins: [sizeLimit],
    multipart: true,
    // The body is held to our own limits before it comes here; Yoga's usual 25 MB would refuse a province's roster.
    maxRequestBodySize: false,
    // Only when somebody asks for it: its page alone is 80 MB in memory.
    renderGraphiQL: async (options) =>
      withSession((await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options)),
    graphiql: (request) => {
      const as = new URL(request.url, services.publicUrl).searchParams.get('as') ?? 'coordinator';
      return {
        title: '心桥 Xinqiao GraphiQL',
        defaultQuery: EXAMPLE,
        ...(samples && /^[A-Za-z0-9:-]{1,64}$/.test(as)
          ? { headers: JSON.stringify({ Authorization: `Bearer sample:${as}` }) }
          : {}),
      };
    },
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
        const id = randomUUID();
        log.error(
          { id, error: original instanceof Error ? (original.stack ?? original.message) : String(original) },
          'defect in a resolver',
        );
        return new GraphQLError(`Something went wrong on our side; tell the operator this id: ${id}`, {
          extensions: { code: 'INTERNAL' },
        });
      },
    },
    context: ({ viewer }) => makeContext(services, viewer),
  });
  const answerPlain = makePlain(yoga, schema);
  const ownOrigin = new URL(services.publicUrl).origin;
  const door: Middleware = async (ctx) => {
    const viewer = viewerOf(ctx);
    const upload = ctx.is('multipart') !== false && ctx.is('multipart') !== null;
    if (upload && viewer === undefined) throw new NotSignedIn();
    const limit = upload ? MAX_BODY.upload : MAX_BODY.json;
    if (announcesMore(ctx.req, limit)) {
      refuseBody(ctx, limit);
      return;
    }
    /** What Yoga reads; a GET has none. */
    let body: Readable | undefined;
    if (comesPlain(ctx, { limit, ownOrigin })) {
      const bytes = await readBody(ctx);
      if (bytes === undefined) return;
      const request = parsePlain(bytes, MAX_QUERY_CHARACTERS);
      const answer = request === undefined ? undefined : await answerPlain({ koa: ctx, viewer }, request);
      if (answer !== undefined) {
        ctx.body = answer;
        ctx.type = 'application/json; charset=utf-8';
        return;
      }
      body = Readable.from([bytes]);
    } else if (ctx.method === 'POST') body = new LimitedBody(ctx.req, limit);
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
    if (ctx.get('accept').includes('text/html') && ctx.method === 'GET') {
      // GraphiQL brings its script in the page itself.
      ctx.set(
        'Content-Security-Policy',
        "default-src 'self' 'unsafe-inline' data: blob:; frame-ancestors 'none'",
      );
    }
  };

  return {
    door,
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
          { koa, viewer },
        );
        return (await response.json()) as GraphqlAnswer;
      });
    },
  };
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
