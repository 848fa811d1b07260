/*
 * Keeps the verification page at hand, so that it opens and checks codes without the network once it was visited: the page, its files, and
 * the issuer's keys with the lists of states. Nothing of what is checked is kept. Its scope is /verify alone.
 */

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
const worker = globalThis as unknown as {
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
};

const CACHE = 'xinqiao-verification';
const PAGE = '/verify';
const LISTS = '/verify/offline.json';
const BESIDE = ['/verify/app.webmanifest', '/verify/icon.svg'];
/** On a line that is as good as none, what is at hand is better than waiting. */
const PATIENCE_MS = 4_000;

worker.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      await keepPage(await fetch(PAGE, { cache: 'no-cache' }));
      await keepLists(await fetch(LISTS, { cache: 'no-cache' }));
      await (await caches.open(CACHE)).addAll(BESIDE);
      await worker.skipWaiting();
    })(),
  );
});
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (pathname === LISTS) event.respondWith(fresh(event, LISTS, keepLists));
  else if (request.mode === 'navigate') event.respondWith(fresh(event, PAGE, keepPage));
  else if (pathname.startsWith('/assets/') || BESIDE.includes(pathname)) event.respondWith(kept(request));
});

/** From the network while it answers; else what was kept. */
async function fresh(
  event: Fetching,
  name: string,
  keep: (response: Response) => Promise<void>,
): Promise<Response> {
  const asked = fetch(event.request).then((response) => {
    if (response.ok) event.waitUntil(keep(response.clone()).catch(() => undefined));
    return response;
  });
  const known = await (await caches.open(CACHE)).match(name);
  if (known === undefined) return asked;
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(known), PATIENCE_MS));
  return Promise.race([asked, late]).then(
    (response) => (response.ok ? response : known),
    () => known,
  );
}

/** Files whose name changes with what is in them. */
async function kept(request: Request): Promise<Response> {
  return (await (await caches.open(CACHE)).match(request.url)) ?? fetch(request);
}

async function keepPage(response: Response): Promise<void> {
  if (!response.ok) throw new Error(String(response.status));
  const cache = await caches.open(CACHE);
  const html = await response.clone().text();
  const files = [...new Set(html.match(/\/assets\/[\w.-]+/g))];
  // Its files first: a page without them would be worse than the old one.
  for (const file of files) if ((await cache.match(file)) === undefined) await cache.add(file);
  await cache.put(PAGE, response);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/assets/') && !files.includes(pathname)) await cache.delete(request);
  }
}

async function keepLists(response: Response): Promise<void> {
  if (!response.ok) throw new Error(String(response.status));
  await (await caches.open(CACHE)).put(LISTS, response);
}
