import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sparticuz, { inflate } from '@sparticuz/chromium';
import { chromium, type Browser } from 'playwright-core';
import { projectFolder } from '../../src/config.ts';

/**
 * A headless Chromium from npm that runs on a machine with no browser, no shared libraries for one and no Chinese font: the
 * package brings the first two, and the font that certificates use is handed to it through a fontconfig file.
 * @param options.args more of its switches, e.g. to keep cookies from frames of other sites.
 */
export async function launchBrowser({ args = [] }: { args?: readonly string[] } = {}): Promise<Browser> {
  const folder = await unpackBrowser();
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    env: {
      ...(process.env as Record<string, string>),
      FONTCONFIG_FILE: await writeFontList(folder),
      LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
      // Where no language is set, a file with a Chinese name is saved as `download`.
      LC_ALL: 'C.UTF-8',
    },
    args: [
      ...sparticuz.args.filter(
        // Its serverless settings switch off what these tests look at, and put into one process what crashes there: the
        // graphics thread reads the environment while the main thread changes it.
        (arg) =>
          !/disable-web-security|site-isolation|^--headless|single-process|no-zygote|in-process-gpu|use-gl|use-angle/.test(
            arg,
          ),
      ),
      '--headless=shell',
      '--disable-gpu',
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  });
}

/**
 * Unpacks the browser into the checkout's own folder and nowhere else: in a shared temporary folder, what one user or an
 * interrupted run left behind would stop the next.
 */
async function unpackBrowser(): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const bin = join(dirname(resolve('@sparticuz/chromium')), '..', 'bin');
  const { version } = JSON.parse(await readFile(join(bin, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const folder = join(projectFolder, '.xinqiao', `chromium-${version}`);
  if ((await stat(folder).catch(() => undefined)) !== undefined) return folder;

  const fresh = `${folder}.${process.pid}.new`;
  await mkdir(fresh, { recursive: true });
  const before = process.env['TMPDIR'];
  // Where the package unpacks to.
  process.env['TMPDIR'] = fresh;
  try {
    await Promise.all(
      ['chromium.br', 'al2023.tar.br', 'swiftshader.tar.br'].map(async (file) => inflate(join(bin, file))),
    );
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
  await rename(fresh, folder).catch(async (error: NodeJS.ErrnoException) => {
    await rm(fresh, { recursive: true });
    // Another process was faster.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  return folder;
}

/** @returns the fontconfig file's path; written anew each time, since the checkout may have moved. */
async function writeFontList(folder: string): Promise<string> {
  const fonts = join(projectFolder, 'node_modules/@expo-google-fonts/noto-sans-sc');
  const cache = join(folder, 'font-cache');
  await mkdir(cache, { recursive: true });
  const file = join(folder, 'fonts.conf');
  const fresh = `${file}.${process.pid}`;
  await writeFile(
    fresh,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${join(fonts, '400Regular')}</dir><dir>${join(fonts, '700Bold')}</dir>
<cachedir>${cache}</cachedir></fontconfig>`,
  );
  await rename(fresh, file);
  return file;
}
