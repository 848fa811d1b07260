import { randomUUID } from 'node:crypto';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { GraphQLError } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Context as KoaContext, Middleware } from 'koa';
import { makeContext, type Context, type Services } from '../../schema/context.ts';
import { schema } from '../../schema/schema.ts';
import { Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
import { bearerToken } from './session.ts';

const MAX_QUERY_CHARACTERS = 20_000;

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

/**
 * The GraphQL door, at /graphql. Refusals that a query throws come out as errors with their code; anything else is logged and masked.
 * @param samples GraphiQL opens with the header of the sample coordinator filled in, or of `?as=<key>`.
 */
export function graphqlDoor(
  services: Services,
  { log, samples }: { log: Log; samples: boolean },
): Middleware {
  const yoga = createYoga<{ koa: KoaContext }, Context>({
    schema,
    logging: false,
    landingPage: false,
    graphqlEndpoint: '/graphql',
    plugins: [sizeLimit],
    multipart: true,
    renderGraphiQL: (options) => renderGraphiQL(options),
    graphiql: (request) => {
      const as = new URL(request.url, services.publicUrl).searchParams.get('as') ?? 'coordinator';
      return {
        title: '心桥 Xinqiao GraphiQL',
        defaultQuery: EXAMPLE,
        ...(samples && /^[a-z-]{1,40}$/.test(as)
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
    context: async ({ koa }) => {
      const token = bearerToken(koa.req);
      return makeContext(
        services,
        token === undefined ? undefined : await services.sessions.viewer(token),
        token,
      );
    },
  });
  return async (ctx) => {
    const response = await yoga.handleNodeRequestAndResponse(ctx.req, ctx.res, { koa: ctx });
    ctx.status = response.status;
    for (const [name, value] of response.headers) ctx.append(name, value);
    ctx.body = response.body;
    if (ctx.get('accept').includes('text/html') && ctx.method === 'GET') {
      // GraphiQL brings its script in the page itself.
      ctx.set(
        'Content-Security-Policy',
        "default-src 'self' 'unsafe-inline' data: blob:; frame-ancestors 'none'",
      );
    }
  };
}
