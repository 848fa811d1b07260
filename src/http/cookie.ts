import type { Context } from 'koa';

/**
 * What the browser has under a name, as it was set; undefined where it has nothing. Koa's own look makes a pattern for each name and keeps it: names
 * of ours are of one sign-in each.
 */
export function cookieOf(ctx: Context, name: string): string | undefined {
  for (const pair of ctx.get('cookie').split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
