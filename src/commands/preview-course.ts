import { createServer, type Server } from 'node:http';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join, resolve, sep } from 'node:path';
import { projectFolder } from '../config.ts';
import { readPlayerFiles } from '../http/player-files.ts';
import { makePreview } from '../http/preview-app.ts';
import { previewedContent, previewedCourse } from '../http/previewed.ts';
import { makeLog } from '../log.ts';

/*
 * npm run course:preview -- <slug, folder or .h5p file> [port]: shows a course's contents, or a single one, in the real player, and again at
 * each change, beside what the check finds. Needs no database.
 */

const coursesFolder = join(projectFolder, 'courses');
const librariesFolder = join(coursesFolder, 'libraries');
const [named, wanted = '0'] = process.argv.slice(2);
const isFile = named?.toLowerCase().endsWith('.h5p') === true;
const path =
  named === undefined
    ? undefined
    : isFile || named.includes('/') || named.includes(sep)
      ? resolve(named)
      : join(coursesFolder, named);
if (path === undefined || !existsSync(path)) {
  console.error(
    named === undefined
      ? 'Which course? npm run course:preview -- <slug, folder or .h5p file> [port]'
      : `There is no ${isFile ? 'file' : 'course'} "${named}".`,
  );
  process.exit(2);
}
// A course has neither; a content that is being written may still lack one.
const isContent =
  isFile || existsSync(join(path, 'h5p.json')) || existsSync(join(path, 'content/content.json'));

const port = Number(wanted);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error('A port is a number from 0 to 65535.');
  process.exit(2);
}
const servers = [createServer(), createServer()];
const listen = async (server: Server, at: number): Promise<string> =>
  new Promise((done, failed) => {
    server.once('error', failed);
    // Contents are looked at before anybody has read them: nobody else shall reach this.
    server.listen(at, '127.0.0.1', () => done(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
const publicUrl = await listen(servers[0]!, port);
const contentUrl = await listen(servers[1]!, 0);
const preview = makePreview({
  log: makeLog('warn'),
  publicUrl,
  contentUrl,
  previewed: isContent ? previewedContent(path, coursesFolder) : previewedCourse(path, librariesFolder),
  playerFiles: await readPlayerFiles('/player-files'),
});
const answers = [preview.page.callback(), preview.content.callback()];
for (const [at, server] of servers.entries())
  server.on('request', (request, response) => void answers[at]!(request, response));
console.log(`${path}\n  ${publicUrl}\nIt shows each change by itself. Stop with Ctrl-C.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    preview.close();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });
