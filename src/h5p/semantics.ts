import { folderOf, parseReference, type Dependency } from './library.ts';
import type { Findings } from './problem.ts';

/*
 * A content's parameters against the semantics of its library, as H5P's own hosts read them: those mend what they can and play the rest. So
 * only what would not play here is a problem; what an author should look at is a warning.
 */

/** A field of semantics.json, as far as its values are judged. */
interface Field {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly optional?: unknown;
  readonly options?: unknown;
  readonly fields?: unknown;
  readonly field?: unknown;
  readonly min?: unknown;
  readonly max?: unknown;
  readonly maxLength?: unknown;
  readonly regexp?: unknown;
  readonly isSubContent?: unknown;
  readonly multiple?: unknown;
}

export interface Surroundings {
  /** Whether the package has such a file, below `content/`. */
  readonly hasFile: (path: string) => boolean;
  /** The semantics of a library, undefined where it has none or is not known. */
  readonly semanticsOf: (dependency: Dependency) => Promise<unknown>;
  readonly findings: Findings;
}

/** Libraries that the parts of a content are made with, by folder, and where it says so. */
export type UsedLibraries = Map<string, { readonly dependency: Dependency; readonly by: string }>;

/** Of text that is an address. */
const ELSEWHERE = /^(?:[a-z][a-z\d+.-]*:|\/\/)/i;

/**
 * Walks the parameters of a library.
 * @param used is filled.
 */
export async function checkParameters(
  parameters: unknown,
  library: Dependency,
  where: string,
  used: UsedLibraries,
  around: Surroundings,
): Promise<void> {
  const semantics = await around.semanticsOf(library);
  if (Array.isArray(semantics)) await checkFields(parameters, semantics as Field[], where, used, around);
  // Nothing says what stands where: parts are told by their look.
  else findParts(parameters, where, used);
}

async function checkFields(
  value: unknown,
  fields: readonly Field[],
  where: string,
  used: UsedLibraries,
  around: Surroundings,
): Promise<void> {
  if (!isRecord(value)) {
    if (!isEmpty(value))
      around.findings.problem(where, `is ${kindOf(value)} where the library expects named fields.`);
    return;
  }
  for (const field of fields) {
    if (!isRecord(field) || typeof field.name !== 'string') continue;
    const its = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
    await checkValue(its, field, `${where}.${field.name}`, used, around);
  }
}

async function checkValue(
  value: unknown,
  field: Field,
  where: string,
  used: UsedLibraries,
  around: Surroundings,
): Promise<void> {
  const { findings } = around;
  if (value === undefined || value === null || value === '') {
    // A group that is left out has every field left out; whether that matters is each field's.
    if (
      field.optional !== true &&
      ['library', 'list'].includes(String(field.type)) &&
      Number(field.min ?? 0) > 0
    )
      findings.warn(where, 'is left out where the library asks for it.');
    else if (
      field.optional !== true &&
      value === undefined &&
      ['text', 'image', 'video', 'audio', 'file', 'library'].includes(String(field.type))
    )
      findings.warn(where, 'is left out where the library asks for it.');
    return;
  }
  switch (field.type) {
    case 'group': {
      const fields = listOf(field.fields);
      // A group of one field is that field itself, as H5P has always stored it.
      const [only] = fields;
      if (fields.length === 1 && field.isSubContent !== true && only !== undefined)
        return checkValue(value, only, where, used, around);
      return checkFields(value, fields, where, used, around);
    }
    case 'list': {
      // PHP writes a list with a gap as an object with numbers for names.
      const items = Array.isArray(value)
        ? (value as unknown[])
        : isRecord(value) && Object.keys(value).every((key) => /^\d+$/.test(key))
          ? Object.values(value)
          : undefined;
      if (items === undefined) {
        findings.problem(where, `is ${kindOf(value)} where the library expects a list.`);
        return undefined;
      }
      if (typeof field.min === 'number' && items.length < field.min && field.optional !== true)
        findings.warn(where, `has ${items.length} entries; the library asks for ${field.min}.`);
      if (typeof field.max === 'number' && items.length > field.max)
        findings.warn(where, `has ${items.length} entries; the library takes ${field.max}.`);
      if (isRecord(field.field))
        for (const [index, item] of items.entries())
          await checkValue(item, field.field, `${where}.${index}`, used, around);
      return undefined;
    }
    case 'library': {
      if (!isRecord(value)) {
        if (!isEmpty(value))
          findings.problem(where, `is ${kindOf(value)} where a part of the content is expected.`);
        return undefined;
      }
      const reference = value['library'];
      // An editor keeps the place of a part that was never chosen.
      if (reference === undefined || reference === null || reference === '') return undefined;
      const dependency = typeof reference === 'string' ? parseReference(reference) : undefined;
      if (typeof reference !== 'string' || dependency === undefined) {
        findings.problem(`${where}.library`, 'names no library: it should read like "H5P.Image 1.1".');
        return undefined;
      }
      const options = listOf(field.options).map((option) =>
        typeof option === 'string' ? option : String(option.name),
      );
      if (options.length > 0 && !options.includes(reference))
        findings.warn(`${where}.library`, `is ${reference}, which the library does not offer there.`);
      note(dependency, where, used);
      return checkParameters(value['params'] ?? {}, dependency, `${where}.params`, used, around);
    }
    case 'text':
      if (typeof value === 'object') {
        findings.problem(where, `is ${kindOf(value)} where the library expects text.`);
        return undefined;
      }
      if (typeof field.maxLength === 'number' && typeof value === 'string' && value.length > field.maxLength)
        findings.warn(where, `is longer than the ${field.maxLength} characters that the library takes.`);
      return undefined;
    case 'number': {
      const number =
        typeof value === 'number' || (typeof value === 'string' && value.trim() !== '')
          ? Number(value)
          : Number.NaN;
      if (Number.isNaN(number)) findings.warn(where, 'is no number.');
      else if (
        (typeof field.min === 'number' && number < field.min) ||
        (typeof field.max === 'number' && number > field.max)
      )
        findings.warn(where, `is ${number}, out of the range that the library takes.`);
      return undefined;
    }
    case 'boolean':
      if (typeof value === 'object') findings.warn(where, 'is neither true nor false.');
      return undefined;
    case 'select': {
      const offered = listOf(field.options).map((option) => (isRecord(option) ? option['value'] : option));
      const chosen = Array.isArray(value) ? (value as unknown[]) : [value];
      for (const each of chosen)
        if (offered.length > 0 && !offered.some((option) => String(option) === String(each)))
          findings.warn(where, 'is none of what the library offers.');
      return undefined;
    }
    case 'image':
    case 'file':
      checkFile(value, where, around);
      return undefined;
    case 'video':
    case 'audio':
      for (const [index, each] of (Array.isArray(value) ? (value as unknown[]) : [value]).entries())
        checkFile(each, `${where}.${index}`, around);
      return undefined;
    default:
      // A kind that is newer than this: its parts are still told by their look.
      findParts(value, where, used);
      return undefined;
  }
}

function checkFile(value: unknown, where: string, { hasFile, findings }: Surroundings): void {
  if (!isRecord(value)) {
    if (!isEmpty(value)) findings.warn(where, 'is no file.');
    return;
  }
  const { path } = value;
  if (typeof path !== 'string' || path === '') return;
  if (ELSEWHERE.test(path))
    findings.warn(where, 'lies elsewhere; the player fetches nothing from other sites.');
  // Editors mark what was not yet saved.
  else if (!hasFile(path.replace(/#tmp$/, '')))
    findings.warn(where, `names ${path}, which is not in the package.`);
}

/** Whatever looks like a part: `{library: "H5P.Image 1.1", params: {…}}`. */
function findParts(value: unknown, where: string, used: UsedLibraries): void {
  if (Array.isArray(value)) {
    for (const [index, each] of value.entries()) findParts(each, `${where}.${index}`, used);
    return;
  }
  if (!isRecord(value)) return;
  const dependency = typeof value['library'] === 'string' ? parseReference(value['library']) : undefined;
  if (dependency !== undefined && isRecord(value['params'])) note(dependency, where, used);
  for (const [key, each] of Object.entries(value)) findParts(each, `${where}.${key}`, used);
}

function note(dependency: Dependency, where: string, used: UsedLibraries): void {
  const folder = folderOf(dependency);
  if (!used.has(folder)) used.set(folder, { dependency, by: where });
}

function listOf(value: unknown): Field[] {
  return Array.isArray(value) ? (value as Field[]) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** PHP writes an empty object as an empty list. */
function isEmpty(value: unknown): boolean {
  return (
    value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'a number' : 'true or false';
}
