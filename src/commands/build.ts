import { join } from 'node:path';
import { readDataFolder } from '../config.ts';
import { buildWeb } from './build-web.ts';

/* npm run build: builds the browser's pages beforehand, e.g. into an image, so that the first start need not. */

const folder = join(readDataFolder(), 'web');
console.log((await buildWeb(folder)) === 'built' ? `Built: ${folder}` : `Up to date: ${folder}`);
