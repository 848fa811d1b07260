import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sparticuz from '@sparticuz/chromium';
import { chromium, type Browser } from 'playwright-core';

/**
 * A headless Chromium from npm that runs on a machine with no browser, no shared libraries for one and no Chinese font: the
 * package brings the first two, and the font that certificates use is handed to it through a fontconfig file.
 */
export async function launchBrowser(): Promise<Browser> {
  const fonts = mkdtempSync(join(tmpdir(), 'xinqiao-fonts-'));
  mkdirSync(join(fonts, 'cache'));
  writeFileSync(
    join(fonts, 'fonts.conf'),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${join(import.meta.dirname, '../../node_modules/@expo-google-fonts/noto-sans-sc/400Regular')}</dir>
<dir>${join(import.meta.dirname, '../../node_modules/@expo-google-fonts/noto-sans-sc/700Bold')}</dir>
<cachedir>${join(fonts, 'cache')}</cachedir></fontconfig>`,
  );
  const executablePath = await sparticuz.executablePath();
  return await chromium.launch({
    executablePath,
    env: { ...(process.env as Record<string, string>), FONTCONFIG_FILE: join(fonts, 'fonts.conf') },
    args: [
      ...sparticuz.args.filter(
        // Its serverless settings switch off what these tests look at, and run everything in one fragile process.
        (arg) => !/disable-web-security|site-isolation|^--headless|single-process|no-zygote/.test(arg),
      ),
      '--headless=shell',
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
