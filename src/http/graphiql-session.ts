/** GraphiQL asks with the session of whoever signed in here (src/web/graphql.ts keeps it), unless its own headers say who asks. */
const SCRIPT = `(() => {
  const ask = window.fetch.bind(window);
  window.fetch = (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const session = sessionStorage.getItem('xinqiao.session');
    if (session !== null && url.origin === location.origin && url.pathname === '/graphql' && !request.headers.has('authorization'))
      request.headers.set('authorization', 'Bearer ' + session);
    return ask(request);
  };
})();`;

/** @param page whose script is one `<script>`; ours goes in front of what is in it. */
export function withSession(page: string): string {
  const at = page.indexOf('<script>');
  if (at === -1) throw new Error('GraphiQL’s page has no script of its own.');
  const start = at + '<script>'.length;
  return `${page.slice(0, start)}${SCRIPT}\n${page.slice(start)}`;
}
