import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import sirv from 'sirv';
import { projectFolder } from '../../src/config.ts';
import { makeContentStore } from '../../src/h5p/content-store.ts';
import { makeFileStore } from '../../src/h5p/file-store.ts';
import { packageLimits, USUAL_PACKAGE_MEGABYTES } from '../../src/h5p/limits.ts';
import { readFolder } from '../../src/h5p/package.ts';
import { folderShelf } from '../../src/h5p/read-library.ts';
import { makeContentApp } from '../../src/http/content-app.ts';
import { readPlayerFiles } from '../../src/http/player-files.ts';
import { silentLog } from '../../src/log.ts';
import { launchBrowser } from '../support/browser.ts';
import { median, round, type Bench } from './frame.ts';

const LESSON = 'courses/core-gatekeeper/content/signs-lesson/zh-CN';
const LIBRARIES = join(projectFolder, 'courses/libraries');

interface Side {
  /** Of the page with the link. */
  readonly url: string;
  /** All that was sent, headers included. */
  readonly bytes: () => number;
  readonly close: () => void;
}

interface Opening {
  readonly ms: number;
  readonly bytes: number;
}

async function listen(): Promise<{ server: Server; url: string; bytes: () => number }> {
  const server = createServer();
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    server,
    url: `http://127.0.0.1:${port}`,
    bytes: () => sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0),
  };
}

/** One that listens would keep the bench from ending. */
function stop({ server }: { readonly server: Server }): void {
  server.close();
  server.closeAllConnections();
}

/** A page with a link that puts the player into a frame, as the teacher's page does. */
const page = (src: string): string => `<!doctype html><button>open</button><script>
addEventListener('message', function (event) {
  if (event.data.type === 'ready') event.source.postMessage({ xinqiao: 1, type: 'open', state: null }, event.origin);
});
document.querySelector('button').addEventListener('click', function () {
  var frame = document.createElement('iframe');
  frame.src = ${JSON.stringify(src)};
  document.body.append(frame);
});
</script>`;

async function ours(folder: string): Promise<Side> {
  const [around, content] = await Promise.all([listen(), listen()]);
  const store = makeContentStore(makeFileStore(join(folder, 'store')));
  const read = await readFolder(join(projectFolder, LESSON), {
    shelf: folderShelf(LIBRARIES, () => undefined),
    limits: packageLimits(USUAL_PACKAGE_MEGABYTES),
    name: LESSON,
  });
  if (!('package' in read)) throw new Error(JSON.stringify(read.problems));
  const its = read.package;
  for (const source of its.libraries.values()) await store.putLibrary(source);
  await store.putContent(
    {
      hash: its.hash,
      title: its.title,
      language: its.language,
      main: its.main,
      files: its.files,
      libraries: Object.fromEntries([...its.libraries].map(([name, { library }]) => [name, library.id])),
    },
    its.played,
    (path) => its.open(path),
  );
  await its.close();
  const app = makeContentApp({
    log: silentLog,
    publicUrl: around.url,
    contentUrl: content.url,
    contents: store,
    oldContents: join(folder, 'none'),
    frames: async () => [],
    playerFiles: await readPlayerFiles('/player-files'),
  });
  const answer = app.callback();
  content.server.on('request', (request, response) => void answer(request, response));
  around.server.on('request', (_request, response) =>
    response.setHeader('content-type', 'text/html').end(page(`${content.url}/player/${its.hash}`)),
  );
  return {
    url: around.url,
    bytes: content.bytes,
    close: () => [around, content].forEach(stop),
  };
}

/** h5p-standalone as its README sets it up, from a plain server of files. */
async function peer(folder: string): Promise<Side> {
  const [around, content] = await Promise.all([listen(), listen()]);
  const files = join(folder, 'peer');
  const dist = dirname(createRequire(import.meta.url).resolve('h5p-standalone'));
  await cp(dist, join(files, 'dist'), { recursive: true });
  await cp(join(projectFolder, LESSON), join(files, 'lesson'), { recursive: true });
  for (const name of ['H5P.XinqiaoLesson-1.0', 'H5P.XinqiaoBase-1.0'])
    await cp(join(LIBRARIES, name), join(files, 'lesson', name), { recursive: true });
  const serve = sirv(files, { dev: true });
  const own = `<!doctype html><meta charset="utf-8"><div id="h5p"></div><script src="/dist/main.bundle.js"></script><script>
new H5PStandalone.H5P(document.getElementById('h5p'), { h5pJsonPath: '/lesson', frameJs: '/dist/frame.bundle.js', frameCss: '/dist/styles/h5p.css', embedType: 'div' });
</script>`;
  content.server.on('request', (request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(own);
    else serve(request, response, () => void response.writeHead(404).end());
  });
  around.server.on('request', (_request, response) =>
    response.setHeader('content-type', 'text/html').end(page(`${content.url}/`)),
  );
  return {
    url: around.url,
    bytes: content.bytes,
    close: () => [around, content].forEach(stop),
  };
}

export const bench: Bench = {
  about:
    'milliseconds from a click until a lesson can be read and turned, in a browser on a throttled line, first time and again, with bytes on the wire; beside h5p-standalone as its README sets it up on a plain server of files',
  options: { runs: 5, kilobits: 1_600, latency: 150 },
  async run({ runs, kilobits, latency }, say) {
    const folder = await mkdtemp(join(tmpdir(), 'xinqiao-bench-player-'));
    const browser = await launchBrowser();
    const sides = { ours: await ours(folder), peer: await peer(folder) };
    const open = async (context: BrowserContext, side: Side): Promise<Opening> => {
      const tab = await context.newPage();
      const line = await context.newCDPSession(tab);
      await tab.goto(side.url);
      await line.send('Network.enable');
      await line.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: latency!,
        downloadThroughput: (kilobits! * 1_000) / 8,
        uploadThroughput: (kilobits! * 1_000) / 8,
      });
      const before = side.bytes();
      const began = performance.now();
      await tab.locator('button').click();
      await tab.frameLocator('iframe').locator('[data-action=next]').waitFor();
      const ms = performance.now() - began;
      const bytes = side.bytes() - before;
      await tab.close();
      return { ms, bytes };
    };
    const seen = { ours: { cold: [], warm: [] }, peer: { cold: [], warm: [] } } as Record<
      'ours' | 'peer',
      { cold: Opening[]; warm: Opening[] }
    >;
    try {
      for (let run = 1; run <= runs!; run += 1)
        // In turn, so that what else the machine does falls on both.
        for (const name of ['ours', 'peer'] as const) {
          const context = await browser.newContext();
          seen[name].cold.push(await open(context, sides[name]));
          seen[name].warm.push(await open(context, sides[name]));
          await context.close();
          say(
            `run ${run} ${name}: ${Math.round(seen[name].cold.at(-1)!.ms)} ms, again ${Math.round(seen[name].warm.at(-1)!.ms)} ms`,
          );
        }
    } finally {
      await browser.close();
      for (const side of Object.values(sides)) side.close();
      await rm(folder, { recursive: true, force: true });
    }
    const of = (openings: readonly Opening[], what: keyof Opening): number =>
      Math.round(median(openings.map((each) => each[what])));
    const row = (what: string, openings: readonly Opening[]) => ({
      what,
      'median ms': of(openings, 'ms'),
      bytes: of(openings, 'bytes'),
    });
    return {
      rows: [
        row('first time', seen.ours.cold),
        row('peer: first time', seen.peer.cold),
        row('again', seen.ours.warm),
        row('peer: again', seen.peer.warm),
      ],
      figures: {
        ratio: round(of(seen.ours.cold, 'ms') / of(seen.peer.cold, 'ms')),
        coldMs: of(seen.ours.cold, 'ms'),
        warmMs: of(seen.ours.warm, 'ms'),
        coldBytes: of(seen.ours.cold, 'bytes'),
        warmBytes: of(seen.ours.warm, 'bytes'),
        peerColdMs: of(seen.peer.cold, 'ms'),
        peerWarmMs: of(seen.peer.warm, 'ms'),
        peerColdBytes: of(seen.peer.cold, 'bytes'),
        peerWarmBytes: of(seen.peer.warm, 'bytes'),
      },
    };
  },
};
