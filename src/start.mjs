import module from 'node:module';
import { join } from 'node:path';

// Plain JavaScript, so that an old Node.js can still read it and say what is wrong instead of failing on a type.
const [major] = process.versions.node.split('.').map(Number);
if (major === undefined || major < 24) {
  console.error(
    `Xinqiao runs on Node.js 24 or newer, and this is ${process.version}. ` +
      'On Linux (x64, arm64) `npm ci` brings it along: start with `npm start`, not with `node`, and do not omit optional packages.',
  );
  process.exit(1);
}
// What was read and stripped of its types once need not be again: it saves a quarter of the time that loading takes. Not in a temporary folder,
// where somebody else could have put it.
module.enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/xinqiao'));
await import('./main.ts');
