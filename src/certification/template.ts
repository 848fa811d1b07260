import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { projectFolder } from '../config.ts';

/* A certificate's template is data: see certificates/README.md. Lengths are PostScript points (1/72 inch), from the top left. */

const colour = z.string().regex(/^#[0-9a-f]{6}$/, 'a colour as #rrggbb, lower case');
const box = { x: z.number(), y: z.number(), width: z.number().positive() };

const shape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rect'), ...box, height: z.number().positive(), stroke: colour.optional(), fill: colour.optional(), lineWidth: z.number().positive().default(1), radius: z.number().min(0).default(0) }),
  z.strictObject({ kind: z.literal('line'), x1: z.number(), y1: z.number(), x2: z.number(), y2: z.number(), stroke: colour, lineWidth: z.number().positive().default(1) }),
  z.strictObject({ kind: z.literal('circle'), x: z.number(), y: z.number(), radius: z.number().positive(), stroke: colour, lineWidth: z.number().positive().default(1), dash: z.number().positive().optional() }),
  z.strictObject({ kind: z.literal('path'), d: z.string().describe('SVG path data'), stroke: colour.optional(), fill: colour.optional(), lineWidth: z.number().positive().default(1) }),
  z
    .strictObject({ kind: z.literal('rosette'), x: z.number(), y: z.number(), radius: z.number().positive(), petals: z.number().int().min(3).max(60), rings: z.number().int().min(1).max(12), stroke: colour, lineWidth: z.number().positive().default(0.3) })
    .describe('Guilloche-like line art around a point.'),
]);

const textElement = z.strictObject({
  text: z.string().describe('With bindings in braces; a binding that has no value leaves the whole element out.'),
  role: z.enum(['H1', 'P']).default('P'),
  font: z.enum(['regular', 'bold']).default('regular'),
  size: z.number().positive(),
  minSize: z.number().positive().optional().describe('A longer text shrinks down to this size before it is broken into lines.'),
  lines: z.number().int().min(1).default(1).describe('How many lines it may take.'),
  lineHeight: z.number().positive().default(1.5),
  ...box,
  align: z.enum(['left', 'center', 'right']).default('left'),
  color: colour.default('#1f2937'),
  tracking: z.number().default(0).describe('Extra space between characters, in points.'),
});

export const templateSchema = z.strictObject({
  name: z.string(),
  version: z.number().int().min(1),
  page: z.strictObject({ width: z.number().positive(), height: z.number().positive() }),
  art: z.array(shape),
  texts: z.array(textElement).min(1),
  qr: z.strictObject({ x: z.number(), y: z.number(), size: z.number().min(62, 'at least 22 mm (62 points), or a phone can not read it from paper'), color: colour.default('#111827') }),
});

export type Template = z.infer<typeof templateSchema>;

const known = new Map<string, Promise<Template>>();

/** A template of certificates/, read once in the life of the process. @throws Error that says what is wrong in which file. */
export async function readTemplate(name: string, version: number): Promise<Template> {
  const path = `certificates/${name}/${version}/template.yaml`;
  const before = known.get(path);
  if (before !== undefined) return before;
  const reading = load(path, name, version);
  known.set(path, reading);
  reading.catch(() => known.delete(path));
  return reading;
}

async function load(path: string, name: string, version: number): Promise<Template> {
  const checked = templateSchema.safeParse(parse(await readFile(join(projectFolder, path), 'utf8')));
  if (!checked.success) throw new Error(`${path}: ${checked.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')}`);
  if (checked.data.name !== name || checked.data.version !== version) throw new Error(`${path}: it says it is ${checked.data.name} ${checked.data.version}; folder and file must agree.`);
  return checked.data;
}
