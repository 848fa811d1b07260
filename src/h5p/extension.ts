import { posix } from 'node:path';

/*
 * Which files a package may hold, by their ending. The lists are those that H5P's own hosts keep to, and formats that browsers have
 * learned since; what runs stands in libraries alone.
 */

const words = (text: string): string[] => text.trim().split(/\s+/);

const ANYWHERE = new Set(
  words(`json png jpg jpeg gif bmp tif tiff svg webp avif ico eot ttf woff woff2 otf webm mp4 m4v mov ogg ogv oga opus mp3 m4a aac wav flac
    txt pdf rtf doc docx xls xlsx ppt pptx odt ods odp csv diff patch md textile vtt srt webvtt gltf glb swf`),
);
const IN_LIBRARIES = new Set([...ANYWHERE, ...words('js mjs css xml wasm map')]);

/** What a browser opens as a page, and what a server or a system would run: nobody puts it into a package but to have it run. */
const RUNS = new Set(
  words(`html htm xhtml xht shtml mht mhtml hta htc svgz php php3 php4 php5 php7 php8 phtml phar phps inc jsp jspx asp aspx ashx cgi fcgi pl py pyc rb
    sh bash zsh bat cmd com exe dll so dylib msi msp scr pif cpl ps1 psm1 vbs vbe jse ws wsf wsh lnk url reg jar war class app apk ipa deb rpm dmg
    pkg run bin elf node htaccess htpasswd`),
);

/** `runs`: refused wherever it stands; `unknown`: nothing that H5P knows. */
export type Kept = 'kept' | 'runs' | 'unknown';

/** @param place whether the file is the content's own, or a library's. */
export function judgeName(path: string, place: 'content' | 'library'): Kept {
  const base = posix.basename(path).toLowerCase();
  const ending = extensionOf(path);
  if (RUNS.has(ending) || RUNS.has(base.replace(/^\./, ''))) return 'runs';
  // Some servers run a file by any of its endings: picture.php.png.
  const inner = base.split('.').slice(1, -1);
  if (inner.some((each) => /^(php\d?|phtml|phar|cgi|aspx?|jspx?)$/.test(each))) return 'runs';
  return (place === 'content' ? ANYWHERE : IN_LIBRARIES).has(ending) ? 'kept' : 'unknown';
}

/** In lower case, without its dot; empty where there is none. */
export function extensionOf(path: string): string {
  return posix.extname(path).slice(1).toLowerCase();
}

/** What editors, systems and version control leave behind: no H5P host looks at it. */
export function isLeftBehind(path: string): boolean {
  return path
    .split('/')
    .some((segment) => /^[._]/.test(segment) || /^(thumbs\.db|desktop\.ini)$/i.test(segment));
}
