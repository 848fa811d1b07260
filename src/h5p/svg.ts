import { SaxesParser } from 'saxes';

const FORBIDDEN = new Set([
  'script',
  'foreignobject',
  'iframe',
  'embed',
  'object',
  'handler',
  'listener',
  'audio',
  'video',
]);
const ANIMATES = new Set(['set', 'animate', 'animatetransform', 'animatemotion', 'animatecolor']);

/**
 * What in a drawing would run, or fetch from elsewhere, once somebody opens it by itself; undefined where it is only a drawing. In a page it is
 * a picture, in which browsers run nothing: this is the first of two locks, the other is how it is served.
 */
export function findDanger(text: string): string | undefined {
  let danger: string | undefined;
  const found = (what: string): void => {
    danger ??= what;
  };
  const parser = new SaxesParser({ xmlns: false, fragment: false });
  parser.on('doctype', (doctype) => {
    // The one of SVG 1.1 is written by every drawing program, entities by none.
    if (/<!ENTITY|\[/i.test(doctype)) found('declares entities');
  });
  parser.on('processinginstruction', ({ target }) => {
    if (/^xml-stylesheet$/i.test(target)) found('takes a style sheet from elsewhere');
  });
  parser.on('opentag', ({ name, attributes }) => {
    const local = name.slice(name.indexOf(':') + 1).toLowerCase();
    if (FORBIDDEN.has(local)) found(`holds <${local}>`);
    for (const [attribute, value] of Object.entries(attributes)) {
      const short = attribute.slice(attribute.indexOf(':') + 1).toLowerCase();
      if (short.startsWith('on')) found(`has the event handler ${attribute}`);
      // Browsers leave out white space and control characters.
      const plain = value.replaceAll(/[\s\p{Cc}]/gu, '').toLowerCase();
      if (
        /^(?:javascript|vbscript):|^data:(?!image\/(?:png|jpe?g|gif|webp)[;,]|font\/|application\/(?:x-)?font)/.test(
          plain,
        )
      )
        found(`has a ${plain.slice(0, plain.indexOf(':'))}: address in ${attribute}`);
      if (['href', 'src'].includes(short) && /^(?:https?:|\/\/|ftp:)/.test(plain) && local !== 'a')
        found(`takes ${local} from elsewhere`);
      if (ANIMATES.has(local) && short === 'attributename' && /^(?:xlink:)?href$|^on/.test(plain))
        found(`changes ${value} by <${local}>`);
      if (short === 'style' && isForeignStyle(value)) found(`takes a style from elsewhere in ${attribute}`);
    }
  });
  let inStyle = '';
  parser.on('text', (words) => {
    inStyle += words;
  });
  parser.on('cdata', (words) => {
    inStyle += words;
  });
  parser.on('closetag', ({ name }) => {
    if (/(?:^|:)style$/i.test(name) && isForeignStyle(inStyle)) found('takes a style from elsewhere');
    inStyle = '';
  });
  let broken: string | undefined;
  parser.on('error', (error) => {
    broken ??= error.message;
  });
  try {
    parser.write(text).close();
  } catch (error) {
    broken ??= (error as Error).message;
  }
  // What can't be read as XML can't be judged, and no browser draws it.
  return danger ?? (broken === undefined ? undefined : `is not XML (${broken})`);
}

function isForeignStyle(css: string): boolean {
  return /@import|expression\s*\(|javascript:|url\(\s*['"]?\s*(?:https?:|\/\/)/i.test(css);
}
