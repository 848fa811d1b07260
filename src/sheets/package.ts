import { posix } from 'node:path';
import { UnreadableSheet } from './unreadable.ts';
import { readXml } from './xml.ts';
import type { Parts } from './zip.ts';

/** One part's link to another, or to somewhere outside. */
export interface Relationship {
  readonly id: string;
  /** The last word of its type, e.g. `worksheet`: the same in both editions of the standard. */
  readonly type: string;
  /** Path in the zip; of an external one, the address as it stands. */
  readonly target: string;
  readonly external: boolean;
}

const MAX_RELATIONSHIPS = 10_000;

/**
 * What a part refers to, but for links that a person follows; the package itself is the part with the empty path. None where it refers to nothing.
 * @throws UnreadableSheet, also for what leads outside.
 */
export async function readRelationships(parts: Parts, path: string): Promise<Relationship[]> {
  const at = posix.join(posix.dirname(path), '_rels', `${posix.basename(path)}.rels`);
  const relationships: Relationship[] = [];
  if (!parts.has(at)) return relationships;
  await readXml(parts.open(at), at, {
    open: (tag) => {
      if (tag.local !== 'Relationship') return;
      const type = (tag.attributes['Type'] ?? '').split('/').at(-1)!;
      // There may be tens of thousands in cells, and it does not matter where they lead.
      if (type === 'hyperlink') return;
      if (relationships.length >= MAX_RELATIONSHIPS)
        throw new UnreadableSheet('TOO_LARGE', `${at} holds more than ${MAX_RELATIONSHIPS} links`);
      const target = tag.attributes['Target'] ?? '';
      const external = tag.attributes['TargetMode'] === 'External';
      relationships.push({
        id: tag.attributes['Id'] ?? '',
        type,
        target: external ? target : resolve(posix.dirname(path), target),
        external,
      });
    },
  });
  return relationships;
}

function resolve(folder: string, target: string): string {
  const path = posix.normalize(target.startsWith('/') ? target.slice(1) : posix.join(folder, target));
  if (path === '..' || path.startsWith('../') || path.startsWith('/'))
    throw new UnreadableSheet('OUTSIDE_PATH', 'a link in it leads outside');
  return path;
}

/**
 * Refuses by what the package says of its parts: a workbook of another kind, or one that carries programs.
 * @throws UnreadableSheet
 */
export async function checkContentTypes(parts: Parts): Promise<void> {
  const path = '[Content_Types].xml';
  if (!parts.has(path)) throw new UnreadableSheet('NO_WORKBOOK', 'it is a zip, but no workbook is in it');
  const macros = new UnreadableSheet('MACROS', 'it contains macros; save it as .xlsx, without macros');
  if (parts.paths.some((each) => /(^|\/)vbaproject\.bin$|^xl\/macrosheets\//.test(each))) throw macros;
  await readXml(parts.open(path), path, {
    open: ({ local, attributes }) => {
      const type = attributes['ContentType'] ?? '';
      // Some programs tell of all that they ever write: what no part is of does not count.
      const ending = `.${attributes['Extension'] ?? ''}`.toLowerCase();
      const isThere =
        local === 'Default'
          ? parts.paths.some((each) => each.endsWith(ending))
          : parts.has((attributes['PartName'] ?? '').replace(/^\//, ''));
      if (!isThere) return;
      if (/sheet\.binary/i.test(type))
        throw new UnreadableSheet('BINARY_WORKBOOK', 'it is a binary workbook (.xlsb); save it as .xlsx');
      if (/macroEnabled|vbaProject|macrosheet/i.test(type)) throw macros;
    },
  });
}
