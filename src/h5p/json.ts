import { z } from 'zod';
import { inMegabytes, JSON_LIMITS } from './limits.ts';
import type { Findings } from './problem.ts';

/**
 * Reads JSON that others wrote: a byte-order mark is left out, what is too large or nests too deep is never parsed.
 * @returns undefined where it is not what `schema` asks for; why is among the findings.
 */
export async function readJson<T>(
  bytes: AsyncIterable<Uint8Array> | undefined,
  where: string,
  schema: z.ZodType<T>,
  findings: Findings,
): Promise<T | undefined> {
  if (bytes === undefined) {
    findings.problem(where, 'is not there.');
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > JSON_LIMITS.bytes) {
      findings.problem(where, `is larger than ${inMegabytes(JSON_LIMITS.bytes)}.`);
      return undefined;
    }
    chunks.push(chunk);
  }
  // The decoder takes the byte-order mark away.
  const text = new TextDecoder().decode(Buffer.concat(chunks));
  if (nestsTooDeep(text)) {
    findings.problem(where, `nests deeper than ${JSON_LIMITS.depth} levels.`);
    return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    findings.problem(where, `is not JSON: ${(error as Error).message}`);
    return undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues)
    findings.problem(`${where} ${issue.path.join('.')}`.trim(), issue.message);
  return undefined;
}

/** Counts brackets outside of strings. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > JSON_LIMITS.depth) return true;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return false;
}

/** A whole number, which some editors write as text. */
export const wholeNumber = z.union([
  z.number().int().min(0).max(99_999),
  z
    .string()
    .regex(/^\d{1,5}$/, 'a whole number')
    .transform(Number),
]);

/** Yes or no, as 0 or 1 too. */
export const flag = z
  .union([z.boolean(), z.literal([0, 1, '0', '1'])])
  .transform((value) => value === true || Number(value) === 1);
