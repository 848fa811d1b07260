import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { withSession } from './graphiql-session.ts';

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

export function asksForPage(ctx: Context): boolean {
  return ctx.method === 'GET' && ctx.get('accept').includes('text/html');
}

/**
 * GraphiQL, the page to ask by hand.
 * @param samples it opens with the header of the sample coordinator filled in, or of `?as=<key>`.
 */
export async function showGraphiql(ctx: Context, { samples }: { samples: boolean }): Promise<void> {
  const as = typeof ctx.query['as'] === 'string' ? ctx.query['as'] : 'coordinator';
  // Only when somebody asks for it: its page alone is 80 MB in memory.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const page = withSession(
    renderGraphiQL({
      title: '心桥 Xinqiao GraphiQL',
      defaultQuery: EXAMPLE,
      endpoint: '/graphql',
      ...(samples && /^[A-Za-z0-9:-]{1,64}$/.test(as)
        ? { headers: JSON.stringify({ Authorization: `Bearer sample:${as}` }) }
        : {}),
    }),
  );
  const nonce = randomBytes(16).toString('base64');
  // It brings its one script in the page itself; by its nonce that one runs, and no other.
  ctx.body = page.replace('<script>', `<script nonce="${nonce}">`);
  ctx.type = 'html';
  ctx.set(
    'Content-Security-Policy',
    [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      'worker-src blob:',
      // Its editor writes its styles as it goes.
      "style-src 'unsafe-inline'",
      'img-src data:',
      'font-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  );
  ctx.set('Cache-Control', 'no-store');
}
