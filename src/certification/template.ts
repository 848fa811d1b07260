import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectFolder } from '../config.ts';

/* A certificate's template is data: see certificates/README.md. Lengths are PostScript points (1/72 inch), from the top left. */

/** What a template may write in braces. */
export const bindingNames = [
  'number',
  'holderName',
  'identityLast4',
  'organizationName',
  'roleTitle.zh',
  'roleTitle.en',
  'certificationTitle.zh',
  'certificationTitle.en',
  'courseTitle.zh',
  'courseTitle.en',
  'courseReview.zh',
  'courseReview.en',
  'classHours.zh',
  'classHours.en',
  'percent',
  'issuerName',
  'issuedOn.zh',
  'issuedOn.en',
  'validity.zh',
  'validity.en',
  'evidence.zh',
  'evidence.en',
  'verificationPage',
  'verificationCode',
] as const;
export type BindingName = (typeof bindingNames)[number];

/** A certificate that lacks one of these certifies nothing. */
const mustBind: readonly BindingName[] = [
  'number',
  'holderName',
  'issuerName',
  'issuedOn.zh',
  'validity.zh',
  'verificationCode',
];

/** Which names a text has in braces, whether or not they exist. */
export function namesIn(text: string): string[] {
  return [...text.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1]!);
}

const colour = z.string().regex(/^#[0-9a-f]{6}$/, 'must be a colour as #rrggbb, lower case');
const pen = { stroke: colour, lineWidth: z.number().positive().default(1) };
const paint = {
  stroke: colour.optional(),
  fill: colour.optional(),
  lineWidth: z.number().positive().default(1),
};
const box = {
  x: z.number(),
  y: z.number(),
  width: z.number().positive(),
  height: z.number().positive(),
};

const shape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rect'), ...box, radius: z.number().min(0).default(0), ...paint }),
  z.strictObject({
    kind: z.literal('circle'),
    x: z.number(),
    y: z.number(),
    radius: z.number().positive(),
    ...paint,
  }),
  z.strictObject({
    kind: z.literal('line'),
    x1: z.number(),
    y1: z.number(),
    x2: z.number(),
    y2: z.number(),
    ...pen,
  }),
  z.strictObject({ kind: z.literal('path'), d: z.string().describe('SVG path data'), ...paint }),
  z
    .strictObject({
      kind: z.literal('band'),
      x1: z.number(),
      y1: z.number(),
      x2: z.number(),
      y2: z.number(),
      amplitude: z.number().positive(),
      waves: z.number().int().min(1).max(200),
      strands: z.number().int().min(1).max(12),
      ...pen,
    })
    .describe('Guilloche: waves woven along a line.'),
  z
    .strictObject({
      kind: z.literal('rosette'),
      x: z.number(),
      y: z.number(),
      inner: z.number().min(0),
      outer: z.number().positive(),
      petals: z.number().int().min(2).max(60),
      strands: z.number().int().min(1).max(16),
      ...pen,
    })
    .describe('Guilloche: waves woven round a point, between two radii.'),
  z
    .strictObject({
      kind: z.literal('seal'),
      x: z.number(),
      y: z.number(),
      radius: z.number().min(20),
      stroke: colour.default('#c0202a'),
      lineWidth: z.number().positive().default(2.4),
    })
    .describe("A round seal with the issuer's name along its edge: a drawing, which proves nothing."),
  z
    .strictObject({ kind: z.literal('photo'), ...box, ...pen, stroke: colour.default('#9ca3af') })
    .describe(
      'Where whoever hands it out pastes a photo, which we hold of nobody: an outline, and nothing printed on it.',
    ),
]);

const textElement = z
  .strictObject({
    text: z
      .preprocess((text) => (typeof text === 'string' ? [text] : text), z.array(z.string().min(1)).min(1))
      .describe(
        'With bindings in braces. Of several, the first whose bindings all have a value; if none, nothing.',
      ),
    role: z.enum(['H1', 'H2', 'P']).default('P').describe('What a screen reader is told that it is.'),
    lang: z.enum(['zh-CN', 'en']).default('zh-CN'),
    font: z.enum(['regular', 'bold']).default('regular'),
    size: z.number().positive(),
    minSize: z
      .number()
      .positive()
      .optional()
      .describe('A text too long for its box shrinks down to this, no further.'),
    lineHeight: z.number().min(1.15).default(1.5).describe('Times the size.'),
    ...box,
    align: z.enum(['left', 'center', 'right']).default('left'),
    color: colour.default('#1f2937'),
    tracking: z
      .number()
      .default(0)
      .describe('Space added between characters at full size; shrinks with the text.'),
  })
  .superRefine((element, context) => {
    for (const text of element.text)
      for (const name of namesIn(text))
        if (!(bindingNames as readonly string[]).includes(name))
          context.addIssue({
            code: 'custom',
            path: ['text'],
            message: `binds {${name}}; there are only ${bindingNames.join(', ')}`,
          });
    if ((element.minSize ?? element.size) > element.size)
      context.addIssue({ code: 'custom', path: ['minSize'], message: 'is larger than size' });
    if (element.size * element.lineHeight > element.height + 0.01)
      context.addIssue({
        code: 'custom',
        path: ['height'],
        message: `holds no line: one takes ${element.size * element.lineHeight}`,
      });
  });

export const templateSchema = z
  .strictObject({
    name: z.string(),
    version: z.number().int().min(1),
    languages: z
      .array(z.enum(['zh-CN', 'en']))
      .min(1)
      .default(['zh-CN', 'en'])
      .describe('In which it speaks. Chinese only: it may bind and say nothing in English.'),
    divisions: z
      .array(z.string().regex(/^[1-9]\d{5}$/, 'must be an administrative division code of six digits'))
      .default([])
      .describe('For certifications of these divisions and of those below them; none: of all.'),
    page: z.strictObject({ width: z.number().positive(), height: z.number().positive() }),
    art: z.array(shape),
    texts: z.array(textElement).min(1).describe('In the order in which they are read aloud.'),
    qr: z.strictObject({
      x: z.number(),
      y: z.number(),
      size: z
        .number()
        .min(62.4, 'must be at least 62.4 points (22 mm), or a phone can not read it from paper'),
      color: colour.default('#111827'),
    }),
  })
  .superRefine((template, context) => {
    const { page, qr } = template;
    const places = [
      ...template.texts.map((text, index) => ({ path: ['texts', index], name: `texts.${index}`, ...text })),
      { path: ['qr'], name: 'qr', x: qr.x, y: qr.y, width: qr.size, height: qr.size },
      ...template.art.flatMap((each, index) =>
        each.kind === 'photo' ? [{ path: ['art', index], name: `art.${index}`, ...each }] : [],
      ),
    ];
    // No text leaves its box, so boxes that keep apart are proof that nothing is ever printed over something else.
    for (const [index, a] of places.entries()) {
      if (a.x < 0 || a.y < 0 || a.x + a.width > page.width || a.y + a.height > page.height)
        context.addIssue({ code: 'custom', path: a.path, message: 'is not within the page' });
      for (const b of places.slice(index + 1))
        if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height)
          context.addIssue({ code: 'custom', path: a.path, message: `overlaps ${b.name}` });
    }
    for (const [index, text] of template.texts.entries()) {
      if (!template.languages.includes(text.lang))
        context.addIssue({
          code: 'custom',
          path: ['texts', index, 'lang'],
          message: `is none of the template's languages`,
        });
      for (const name of text.text.flatMap(namesIn))
        if (name.endsWith('.en') && !template.languages.includes('en'))
          context.addIssue({
            code: 'custom',
            path: ['texts', index, 'text'],
            message: `binds {${name}} in a template without English`,
          });
    }
    const bound = new Set(template.texts.flatMap((element) => element.text.flatMap(namesIn)));
    for (const name of mustBind)
      if (!bound.has(name))
        context.addIssue({ code: 'custom', path: ['texts'], message: `nowhere bind {${name}}` });
  });

export type Template = z.infer<typeof templateSchema>;

/** As it was read from its file. */
export type KeptTemplate = Template & {
  /** SHA-256 of the file, hex: what is frozen with the first certificate that is issued on it. */
  readonly digest: string;
};

/** Whether a template is for certifications of a division: of its own ones, and of all below them. */
export function isFor({ divisions }: Pick<Template, 'divisions'>, code: string): boolean {
  // GB/T 2260: province, prefecture and county have two digits each, 00 for what is not told.
  return (
    divisions.length === 0 || divisions.some((each) => code.startsWith(each.replace(/(?:00){1,2}$/, '')))
  );
}

/** @param source names where it comes from in messages. @throws Error that names every mistake and its place. */
export function parseTemplate(yaml: string, source: string): Template {
  let value: unknown;
  try {
    value = parse(yaml);
  } catch (error) {
    throw new Error(`${source}: ${(error as Error).message}`, { cause: error });
  }
  const checked = templateSchema.safeParse(value);
  if (checked.success) return checked.data;
  const mistakes = checked.error.issues.map(
    (issue) => `${issue.path.join('.') || 'template'} ${issue.message}`,
  );
  throw new Error(`${source}: ${mistakes.join('; ')}`);
}

const known = new Map<string, Promise<KeptTemplate>>();

/** A template of certificates/, read once in the life of the process. @throws Error that says what is wrong in which file. */
export async function readTemplate(name: string, version: number): Promise<KeptTemplate> {
  const path = `certificates/${name}/${version}/template.yaml`;
  const before = known.get(path);
  if (before !== undefined) return before;
  const reading = load(path, name, version);
  known.set(path, reading);
  reading.catch(() => known.delete(path));
  return reading;
}

/** The version that new certifications name: the latest one in certificates/. undefined: no template has that name. */
export async function findLatestVersion(name: string): Promise<number | undefined> {
  if (!/^[a-z0-9-]{1,40}$/.test(name)) return undefined;
  const entries = await readdir(join(projectFolder, 'certificates', name)).catch(() => []);
  const versions = entries.filter((entry) => /^[1-9]\d{0,3}$/.test(entry)).map(Number);
  return versions.length === 0 ? undefined : Math.max(...versions);
}

async function load(path: string, name: string, version: number): Promise<KeptTemplate> {
  // A checkout may have changed the ends of lines, which say nothing.
  const text = (await readFile(join(projectFolder, path), 'utf8')).replaceAll('\r\n', '\n');
  const template = parseTemplate(text, path);
  if (template.name !== name || template.version !== version)
    throw new Error(
      `${path}: it says it is ${template.name} ${template.version}; folder and file must agree.`,
    );
  return { ...template, digest: createHash('sha256').update(text).digest('hex') };
}
