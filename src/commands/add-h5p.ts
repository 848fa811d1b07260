import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError, readServerUrl, readToken } from '../config.ts';

/*
 * npm run h5p:add -- <file.h5p …> --division 430121 [--server https://…]: uploads H5P packages to the running service. Who uploads says
 * XINQIAO_TOKEN. Ends with 1 when one was refused; what to mend is told.
 */

const UPLOAD = `mutation AddH5p($input: UploadH5pInput!) {
  uploadH5p(input: $input) {
    ... on UploadH5pPayload { added h5pContent { id title hash playerUrl mainLibrary { machineName version } warnings { where what } } }
    ... on Refusal { message }
    ... on PackageRefused { problems { where what } }
  }
}`;

interface Answer {
  readonly data?: {
    readonly uploadH5p?: {
      readonly added?: boolean;
      readonly h5pContent?: {
        readonly id: string;
        readonly title: string;
        readonly hash: string;
        readonly playerUrl: string;
        readonly mainLibrary: { readonly machineName: string; readonly version: string };
        readonly warnings: readonly Told[];
      };
      readonly message?: string;
      readonly problems?: readonly Told[];
    };
  };
  readonly errors?: readonly { readonly message: string }[];
  readonly detail?: string;
}
interface Told {
  readonly where: string;
  readonly what: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { division: { type: 'string' }, server: { type: 'string' } },
});
try {
  const server = (values.server ?? readServerUrl()).replace(/\/$/, '');
  const token = readToken();
  const division = values.division ?? '';
  if (positionals.length === 0 || !/^\d{6}$/.test(division) || token === undefined) {
    console.error(
      'Usage: npm run h5p:add -- <file.h5p …> --division 430121 [--server https://…], with XINQIAO_TOKEN in the environment.',
    );
    process.exitCode = 2;
  } else for (const file of positionals) await add(server, token, division, file);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function add(server: string, token: string, divisionCode: string, file: string): Promise<void> {
  const form = new FormData();
  const variables = { input: { divisionCode, file: null } };
  form.set('operations', JSON.stringify({ query: UPLOAD, variables }));
  form.set('map', JSON.stringify({ 0: ['variables.input.file'] }));
  let answer: Answer;
  try {
    // Read from the disk while it is sent.
    form.set('0', await openAsBlob(file), basename(file));
    const response = await fetch(`${server}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      body: form,
    });
    answer = (await response.json()) as Answer;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    answer = {
      detail:
        code === 'ENOENT' || code === 'ERR_INVALID_ARG_VALUE'
          ? 'it is not there or can’t be read.'
          : `${server} did not answer (${message}).`,
    };
  }
  const result = answer.data?.uploadH5p;
  const content = result?.h5pContent;
  const list = (all: readonly Told[]): string =>
    all.map(({ where, what }) => `\n  ${where} ${what}`).join('');
  if (content === undefined) {
    process.exitCode = 1;
    console.error(
      `${file}: ${result?.message ?? answer.errors?.[0]?.message ?? answer.detail ?? 'no answer.'}${list(result?.problems ?? [])}`,
    );
    return;
  }
  console.log(
    `${file}: ${result?.added === true ? 'taken in' : 'known already'} as ${content.id}: “${content.title}”, played by ${content.mainLibrary.machineName} ${content.mainLibrary.version}, at ${content.playerUrl}${list(content.warnings)}`,
  );
}
