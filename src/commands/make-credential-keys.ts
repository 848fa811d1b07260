import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { ConfigError, newCredentialKeys, parseCredentialKeys } from '../config.ts';

/*
 * `npm run credential:keys -- FILE`: makes the keys that sign credentials, or, where the file is there, puts new ones in front. The old
 * ones stay behind them, without their private part if that is taken out, as long as anything that they signed is to be checked.
 */

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('Which file? npm run credential:keys -- FILE\n');
  process.exit(2);
}
try {
  let before: unknown[] = [];
  if (existsSync(file)) {
    const text = readFileSync(file, 'utf8');
    parseCredentialKeys(text, file);
    before = (JSON.parse(text) as { keys: unknown[] }).keys;
  }
  const name = new Date().toISOString().slice(0, 16).replaceAll(/[-T:]/g, '');
  const text = newCredentialKeys(name, before);
  parseCredentialKeys(text, file);
  // Whole or not at all: half a file would stop the next start.
  writeFileSync(`${file}.new`, text, { mode: 0o600, flag: 'wx' });
  renameSync(`${file}.new`, file);
  process.stdout.write(`${file}: p${name} and e${name} sign from the next start on.\n`);
} catch (error) {
  process.stderr.write(
    `${error instanceof ConfigError ? error.message : `${file} can't be written: ${(error as NodeJS.ErrnoException).code}.`}\n`,
  );
  process.exit(1);
}
