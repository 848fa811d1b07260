import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ConfigError, readServerUrl, readToken } from '../config.ts';
import {
  CANCEL,
  connect,
  IMPORT,
  MAY,
  notSignedIn,
  RESULT,
  ServiceError,
  STATE,
  UploadStopped,
  type Answer,
  type Progress,
  type Result,
  type Service,
} from './roster/contract.ts';
import { findFiles, NothingToRead, pack, type Outgoing } from './roster/files.ts';
import { describeProgress, describeResult, StatusLine } from './roster/screen.ts';

/*
 * npm run roster:import -- <folder | zip | files …> --division 430121 [--source x] [--dry-run] [--end-missing] [--most-ended 0.3]
 *   [--server https://…]
 *
 * Uploads a roster, follows the import and tells what became of it. Who imports says XINQIAO_TOKEN. Ctrl-C asks the import to stop and
 * waits for it; once more leaves at once. The result goes to standard output, everything else to standard error.
 *
 * Ends with 0: went in, or checked, without a refused row. 1: refused whole, stopped, or the service did not answer. 2: it can't be
 * meant so. 3: went in, or would, with refused rows.
 */

const USAGE =
  'npm run roster:import -- <folder | zip | files …> --division 430121 [--source x] [--dry-run] [--end-missing] [--most-ended 0.3] [--server https://…], with XINQIAO_TOKEN in the environment';

const POLL_MS = 500;
/** A service that is being started anew is back by then. */
const GIVE_UP_MS = 60_000;
/** Of npm and the terminal, which both pass on the same Ctrl-C. */
const SAME_PRESS_MS = 400;
const MEGABYTE = 1024 * 1024;

class WrongArguments extends Error {}
/** It could not be done; the message is for a person. */
class Failed extends Error {}

interface Wanted {
  readonly paths: readonly string[];
  readonly division: string;
  readonly server: string;
  readonly token: string;
  readonly more: {
    readonly source?: string;
    readonly dryRun: boolean;
    readonly mostEnded?: number;
    readonly endMissing?: boolean;
  };
}

function readArguments(args: readonly string[]): Wanted {
  const { values, positionals } = parse(args);
  if (positionals.length === 0) throw new WrongArguments('The folder or the files are missing');
  const division = values.division ?? '';
  if (!/^\d{6}$/.test(division))
    throw new WrongArguments(
      division === ''
        ? '--division is missing'
        : `--division must be a code of six digits, not "${division}"`,
    );
  const most = values['most-ended'];
  if (most !== undefined && !(/^\d*\.?\d+$/.test(most) && Number(most) <= 1))
    throw new WrongArguments(`--most-ended must be a share from 0 to 1, not "${most}"`);
  if (values.source === '') throw new WrongArguments('--source is empty');
  const server = values.server === undefined ? readServerUrl() : originOf(values.server);
  const token = readToken();
  if (token === undefined)
    throw new WrongArguments('XINQIAO_TOKEN is not set: it says who imports, e.g. sample:coordinator');
  return {
    paths: positionals,
    division,
    server,
    token,
    more: {
      dryRun: values['dry-run'] ?? false,
      ...(values.source === undefined ? {} : { source: values.source }),
      ...(most === undefined ? {} : { mostEnded: Number(most) }),
      ...(values['end-missing'] === undefined ? {} : { endMissing: values['end-missing'] }),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      // As the file says is neither of the two: --no-end-missing overrules a manifest.
      allowNegative: true,
      options: {
        division: { type: 'string' },
        source: { type: 'string' },
        'dry-run': { type: 'boolean' },
        'end-missing': { type: 'boolean' },
        'most-ended': { type: 'string' },
        server: { type: 'string' },
      },
    });
  } catch (error) {
    throw new WrongArguments((error as Error).message.split('. ')[0]);
  }
}

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.username !== '')
    throw new WrongArguments(`--server must be an origin, e.g. https://xinqiao.example, not "${text}"`);
  return url.origin;
}

/** @returns how the process ends. @throws what is told to the person at the shell */
async function run(wanted: Wanted, status: StatusLine): Promise<number> {
  const { server, division, more } = wanted;
  const stopping = listenForStop(status);
  const service = connect(server, wanted.token);
  const found = await findFiles(wanted.paths);
  await checkMay(service, wanted);
  if (!isSafe(server))
    status.say(`Mind that what goes to ${server} can be read on the way: it is not https.`);
  status.show('packing', `Packing ${found.map((file) => file.name).join(', ')}`);
  const id = await upload(service, wanted, await pack(found), { status, stop: stopping.signal });
  stopping.importId = id;
  const result = await follow(service, id, { status, stop: stopping.signal });
  status.clear();
  console.log(describeResult(id, division, result));
  if (stopping.signal.aborted && result.state !== 'CANCELLED')
    status.say('It was over before it could be stopped.');
  if (result.state === 'REFUSED' || result.state === 'CANCELLED') return 1;
  if (more.dryRun) status.say('To apply it, run the command without --dry-run.');
  return result.rowsRefused > 0 ? 3 : 0;
}

/** Before anything is uploaded. @throws ServiceError, Failed */
async function checkMay(service: Service, { server, division }: Wanted): Promise<void> {
  const { viewer, rosterDoubts } = await service.ask<{
    viewer: { person: { name: string } } | null;
    rosterDoubts: object | null;
  }>(MAY, { division });
  if (viewer === null) throw notSignedIn(server);
  if (rosterDoubts === null)
    throw new Failed(
      `${viewer.person.name} may not import for ${division}, or there is no such division at ${server}.`,
    );
}

async function upload(
  service: Service,
  { division, more }: Wanted,
  files: readonly Outgoing[],
  { status, stop }: { status: StatusLine; stop: AbortSignal },
): Promise<string> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const megabytes = (bytes: number): string => (bytes / MEGABYTE).toFixed(1);
  const { importRoster: answer } = await service.upload<{
    importRoster: Answer<{ rosterImport: { id: string } }>;
  }>(IMPORT, { divisionCode: division, ...more }, files, {
    signal: stop,
    onBytes: (sent) =>
      status.show('uploading', `Uploading: ${megabytes(Math.min(sent, total))} of ${megabytes(total)} MB`),
  });
  if ('code' in answer) throw new Failed(`Nothing was taken in: ${answer.message}`);
  return answer.rosterImport.id;
}

/** Asks until the import is over, and for it to stop once `stop` is set. @throws ServiceError, Failed */
async function follow(
  service: Service,
  id: string,
  { status, stop }: { status: StatusLine; stop: AbortSignal },
): Promise<Result> {
  let cancelled = false;
  let awaySince: number | undefined;
  for (;;) {
    try {
      if (stop.aborted && !cancelled) {
        const { cancelRosterImport: answer } = await service.ask<{
          cancelRosterImport: Answer<{ rosterImport: { id: string } }>;
        }>(CANCEL, { input: { rosterImportId: id } });
        if ('code' in answer) throw new Failed(answer.message);
        cancelled = true;
        status.say('Asked it to stop; waiting until it has. Ctrl-C once more leaves at once.');
      }
      const { node } = await service.ask<{ node: { state: string; progress: Progress | null } | null }>(
        STATE,
        { id },
      );
      if (node === null)
        throw new Failed(`Import ${id} can't be seen any more. Sign in again and ask for it.`);
      if (node.state !== 'QUEUED') return (await service.ask<{ node: Result }>(RESULT, { id })).node;
      awaySince = undefined;
      status.show(node.progress?.phase ?? 'waiting', describeProgress(node.progress));
    } catch (error) {
      if (!(error instanceof ServiceError) || error.kind === 'no') throw error;
      // The import does not need us: it goes on, or begins anew with the service.
      awaySince ??= performance.now();
      if (performance.now() - awaySince > GIVE_UP_MS)
        throw new Failed(
          `${error.message} Import ${id} was taken in and goes on by itself: ask for it in GraphQL, or run the command again; the same files twice change nothing.`,
        );
      status.show('away', `${error.message} Asking again`);
    }
    await sleep(POLL_MS, undefined, stop.aborted ? {} : { signal: stop }).catch(() => undefined);
  }
}

/** The first Ctrl-C sets the signal; the next one ends the process. */
function listenForStop(status: StatusLine): { readonly signal: AbortSignal; importId?: string } {
  const stopping = new AbortController();
  const told: { readonly signal: AbortSignal; importId?: string } = { signal: stopping.signal };
  let pressedAt: number | undefined;
  process.on('SIGINT', () => {
    const before = pressedAt;
    pressedAt = performance.now();
    if (before === undefined) {
      stopping.abort();
      return;
    }
    if (pressedAt - before < SAME_PRESS_MS) return;
    status.say(
      told.importId === undefined
        ? 'Left. Whether anything was taken in is not known; the same files twice change nothing.'
        : `Left. What becomes of import ${told.importId} tells GraphQL.`,
    );
    process.exit(1);
  });
  return told;
}

function isSafe(server: string): boolean {
  const { protocol, hostname } = new URL(server);
  return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
}

const status = new StatusLine(process.stderr);
try {
  process.exitCode = await run(readArguments(process.argv.slice(2)), status);
} catch (error) {
  const usage = error instanceof WrongArguments;
  if (usage || error instanceof NothingToRead || error instanceof ConfigError) {
    process.exitCode = 2;
    const why = error.message.replace(/\.$/, '');
    status.say(usage ? `${why}. Usage: ${USAGE}` : `${why}.`);
  } else if (error instanceof UploadStopped) {
    process.exitCode = 1;
    status.say('Stopped before the upload was complete: nothing was taken in.');
  } else if (error instanceof Failed || error instanceof ServiceError) {
    process.exitCode = 1;
    status.say(error.message);
  } else throw error;
}
