import { createHash } from 'node:crypto';
import type { CourseVersion } from '../courses/course.ts';
import type { Language } from '../courses/language.ts';
import { renderMarkdown } from '../courses/markdown.ts';
import { inLanguage } from '../courses/notation.ts';
import type { PackDocument } from '../courses/pack.ts';
import { describeReview } from '../courses/review.ts';
import type { Page } from './sign-in-pages.ts';

/* A page of a service pack, for A4 paper: no script, nothing loaded, and what is only for the screen is not printed. */

const STYLE = `
@page { size: A4; margin: 14mm 15mm; }
:root { color: #12211f; background: #eef3f2; font: 15px/1.6 'PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', system-ui, sans-serif; }
:root:lang(en) { font-family: system-ui, 'Segoe UI', Roboto, 'Noto Sans SC', sans-serif; }
* { box-sizing: border-box; }
body { margin: 0; }
.screen { max-width: 186mm; margin: 0 auto; padding: 12px 16px; font-size: 14px; color: #37514d; }
.screen p { margin: 4px 0; }
.screen a { color: #0b4f4a; }
main { max-width: 186mm; margin: 0 auto 24px; padding: 20px 16px; background: #fff; }
h1 { font-size: 1.5em; line-height: 1.3; margin: 0 0 0.5em; padding-bottom: 0.3em; border-bottom: 3px solid #0f766e; }
h2 { font-size: 1.15em; margin: 0.9em 0 0.3em; color: #0b4f4a; }
h3 { font-size: 1em; margin: 0.7em 0 0.2em; }
p { margin: 0.35em 0; }
ul, ol { margin: 0.3em 0; padding-left: 1.6em; }
li { margin: 0.1em 0; }
blockquote { margin: 0.5em 0; padding: 0.35em 0.9em; border-left: 4px solid #0f766e; background: #e9f4f2; }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; margin: 0.5em 0; font-size: 0.95em; }
th, td { border: 1px solid #7d9591; padding: 0.3em 0.5em; text-align: left; vertical-align: top; min-width: 4.5em; }
td:empty { width: 22%; }
th { background: #e9f4f2; }
hr { border: 0; border-top: 1px dashed #7d9591; margin: 1.2em 0; }
.blank { display: inline-block; min-width: 6em; height: 1.15em; border-bottom: 1px solid #12211f; color: transparent; vertical-align: bottom; overflow: hidden; white-space: nowrap; max-width: 100%; }
.blank.short { min-width: 2.5em; }
.blank.long { min-width: 12em; }
a { color: inherit; }
.foot { margin-top: 1em; font-size: 0.8em; color: #37514d; }
@media (min-width: 720px) { main { padding: 14mm 15mm; box-shadow: 0 1px 6px #0003; } }
@media print {
  :root { background: #fff; font-size: 10.5pt; line-height: 1.45; }
  .screen { display: none; }
  main { max-width: none; margin: 0; padding: 0; box-shadow: none; }
  hr { break-after: page; border: 0; margin: 0; height: 0; }
  h1, h2, h3 { break-after: avoid; }
  tr, blockquote, li { break-inside: avoid; }
}
`;

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const WORDS = {
  'zh-CN': {
    hint: '用浏览器的“打印”（Ctrl+P 或 ⌘P）打在 A4 纸上，或存成 PDF。这几行不会打出来。',
    others: '这门课的其他页：',
    pages: '服务包',
  },
  en: {
    hint: 'Print it on A4 with your browser (Ctrl+P or ⌘P), or save it as a PDF. These lines are not printed.',
    others: 'Other pages of this course:',
    pages: 'Service pack',
  },
} as const;

/** @param language in which it is; the course has it. */
export function packPage(course: CourseVersion, document: PackDocument, language: Language): Page {
  const words = WORDS[language];
  const title = inLanguage(document.title, language);
  const address = (key: string, to: Language): string =>
    `/courses/${course.slug}/pack/${key}?lang=${to}&amp;version=${course.version}`;
  const links = course.pack
    .filter(({ key }) => key !== document.key)
    .map(
      (each) => `<a href="${address(each.key, language)}">${escape(inLanguage(each.title, language))}</a>`,
    );
  const other = course.manifest.languages.find((each) => each !== language);
  const html = renderMarkdown(inLanguage(document.text, language))
    // A wide table scrolls by itself, and by keyboard.
    .replaceAll(
      '<table>',
      `<div class="table" tabindex="0" role="region" aria-label="${escape(title)}"><table>`,
    )
    .replaceAll('</table>', '</table></div>');
  return {
    policy: POLICY,
    html: `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · ${language === 'en' ? 'Xinqiao' : '心桥'}</title>
<style>${STYLE}</style>
</head>
<body>
<nav class="screen" aria-label="${words.pages}">
<p>${words.hint}</p>
${links.length === 0 ? '' : `<p>${words.others} ${links.join(' · ')}</p>`}
${other === undefined ? '' : `<p><a lang="${other}" href="${address(document.key, other)}">${other === 'en' ? 'English' : '中文'}</a></p>`}
</nav>
<main>
${html}
<p class="foot">${escape(course.manifest.title[language])} ${course.version} · ${escape(describeReview(course.manifest.review)[language])}</p>
</main>
</body>
</html>
`,
  };
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
