import MarkdownIt from 'markdown-it';

/*
 * The Markdown of a service pack: headings, lists, tables, quotes, bold, `---` for a new page when printed, and blanks to fill in (`____`). HTML
 * in it stays text, and a link is one of http, https or tel.
 */

const markdown = new MarkdownIt({ html: false, breaks: true, linkify: false });
markdown.validateLink = (url) => /^(?:https?:|tel:)/i.test(url.trim());
// Pictures would come from elsewhere: a pack is paper, and its page loads nothing.
markdown.disable('image');

/** As wide as what is written for it, more or less. */
const BLANK = /_{3,}|＿{2,}/g;
markdown.renderer.rules['text'] = (tokens, index) =>
  markdown.utils
    .escapeHtml(tokens[index]!.content)
    .replaceAll(
      BLANK,
      (blank) =>
        `<span class="blank${blank.length > 8 ? ' long' : blank.length < 4 ? ' short' : ''}" role="img" aria-label="＿＿">${blank}</span>`,
    );

/** Safe to put into a page as it is. */
export function renderMarkdown(text: string): string {
  return markdown.render(text);
}

export interface Outline {
  /** Of a first heading of the first level, without its marks. */
  readonly title: string | undefined;
  /** Where links lead, also those that are not rendered as such. */
  readonly links: readonly string[];
}

export function outlineOf(text: string): Outline {
  const tokens = markdown.parse(text, {});
  const [first, inline] = tokens;
  return {
    title:
      first?.type === 'heading_open' && first.tag === 'h1'
        ? (inline?.children ?? [])
            .map((child) => child.content)
            .join('')
            .trim()
        : undefined,
    links: [...text.matchAll(/\]\(\s*<?([^)\s>]*)/g)].map(([, link]) => link!),
  };
}
