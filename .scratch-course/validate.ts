import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { parse } from 'yaml';
import { itemFileSchema, manifestSchema } from '../src/courses/manifest.ts';
const han = (s: string) => (s.match(/\p{Script=Han}/gu) ?? []).length;
for (const slug of ['core-gatekeeper', 'template']) {
  const dir = `/work/main/courses/${slug}`;
  const m = manifestSchema.parse(parse(readFileSync(`${dir}/course.yaml`, 'utf8')));
  const items = m.exam.items.flatMap((f) => itemFileSchema.parse(parse(readFileSync(`${dir}/${f}`, 'utf8'))));
  const keys = new Set(items.map((i) => i.key));
  if (keys.size !== items.length) throw new Error('duplicate keys');
  for (const a of m.modules.flatMap((x) => x.activities)) for (const p of Object.values(a.content)) for (const f of ['h5p.json', 'content/content.json']) if (!existsSync(`${dir}/${p}/${f}`)) throw new Error(p + f);
  for (const b of m.exam.blueprint) console.log(slug, b.competency, items.filter((i) => i.competency === b.competency).length, 'draw', b.count);
  const letters: Record<string, number> = {};
  let longest = { zh: 0, en: 0 }, singles = 0;
  for (const i of items) {
    const right = i.options.filter((o) => o.correct);
    if (i.kind !== 'multiple' && right.length !== 1) throw new Error(i.key);
    if (i.kind === 'multiple' && (right.length < 2 || right.length === i.options.length)) throw new Error(i.key);
    if (i.kind === 'true_false' && i.options.map((o) => o.key).join() !== 'true,false') throw new Error(i.key);
    if (i.kind === 'single') { singles++; letters[right[0]!.key] = (letters[right[0]!.key] ?? 0) + 1;
      for (const l of ['zh-CN', 'en'] as const) if (i.options.every((o) => o.correct || o.text[l].length < right[0]!.text[l].length)) longest[l === 'en' ? 'en' : 'zh']++; }
  }
  console.log(slug, items.length, 'items', 'kinds', JSON.stringify(Object.groupBy(items, (i) => i.kind), (k, v) => Array.isArray(v) ? v.length : v), 'letters', letters, 'right is longest', longest, 'of', singles);
}
