import {
  getOperationAST,
  GraphQLError,
  Kind,
  Lexer,
  parse,
  Source,
  TokenKind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/*
 * How large a question may be, judged by its text before anything looks at what it means: parsing calls itself for each bracket, and
 * GraphQL's validation compares each field with each of the same name, so a few thousand words cost it seconds, and fragments in a circle
 * its stack. What is answered costs, is judged afterwards by the contract's own measure (schema/builder.ts).
 */

export const QUERY_LIMITS = {
  characters: 20_000,
  /** Names, brackets and values. */
  tokens: 2_000,
  /** Brackets in brackets. */
  nesting: 40,
  /** Operations and fragments. */
  definitions: 50,
  directives: 50,
  aliases: 200,
  /** Fields at the top of an operation. */
  rootFields: 50,
  /** Each may change something, or try a password. */
  mutationFields: 10,
  /** Fields in fields. */
  depth: 20,
  /** Fields as they stand after each fragment was put where it is spread. */
  fields: 1_000,
  /** Pairs of fields that end under one name, which validation compares. */
  pairs: 5_000,
  /** What the contract is asked to tell of itself, lists counted as long as they are; the usual tools ask a third of it. */
  introspection: 300_000,
  /** Values in variables, objects and lists themselves among them. */
  values: 50_000,
  /** Entries of one list in them. */
  list: 2_000,
  /** Lists and objects in lists and objects there: a statement of a content, which may be 50 deep, and what it stands in. */
  valueDepth: 64,
  /** The same of a whole body, before it is read. */
  bodyDepth: 100,
} as const;

/** What is known of a text that is in order by its size. */
export interface Measured {
  readonly document: DocumentNode;
  /** It asks what the contract is. */
  readonly introspects: boolean;
}

export type Measure = { readonly measured: Measured } | { readonly refused: GraphQLError } | undefined;

/** So many texts are known by heart; programs ask the same few again and again. */
const KNOWN = 1_000;
const known = new Map<string, Measured>();

/** @returns undefined for a text that does not parse: what is wrong with it is not a matter of size. */
export function measureQuery(query: string): Measure {
  const before = known.get(query);
  if (before !== undefined) return { measured: before };
  if (query.length > QUERY_LIMITS.characters)
    return tooLarge(`A query has at most ${QUERY_LIMITS.characters} characters.`);
  const words = measureWords(query);
  if (words !== 'in order') return words;
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch {
    return undefined;
  }
  const measure = measureDocument(document);
  if (!('measured' in measure)) return measure;
  if (known.size === KNOWN) known.clear();
  known.set(query, measure.measured);
  return measure;
}

function tooLarge(message: string): { refused: GraphQLError } {
  return { refused: refusal('QUERY_TOO_LARGE', message) };
}

/** As GraphQL over HTTP answers what is wrong with the question: 200 where plain JSON is wanted, 400 otherwise. */
export function refusal(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { spec: true, status: 400 } } });
}

/** Word by word, so that the end of a long text is never reached. @returns undefined for what are no words. */
function measureWords(query: string): { refused: GraphQLError } | 'in order' | undefined {
  const lexer = new Lexer(new Source(query));
  let tokens = 0;
  let nesting = 0;
  let directives = 0;
  try {
    while (lexer.advance().kind !== TokenKind.EOF) {
      const { kind } = lexer.token;
      tokens += 1;
      if (kind === TokenKind.BRACE_L || kind === TokenKind.BRACKET_L || kind === TokenKind.PAREN_L)
        nesting += 1;
      if (kind === TokenKind.BRACE_R || kind === TokenKind.BRACKET_R || kind === TokenKind.PAREN_R)
        nesting -= 1;
      if (kind === TokenKind.AT) directives += 1;
      if (tokens > QUERY_LIMITS.tokens)
        return tooLarge(`A query has at most ${QUERY_LIMITS.tokens} names, brackets and values.`);
      if (nesting > QUERY_LIMITS.nesting)
        return tooLarge(`A query has at most ${QUERY_LIMITS.nesting} brackets in one another.`);
      if (directives > QUERY_LIMITS.directives)
        return tooLarge(`A query has at most ${QUERY_LIMITS.directives} directives.`);
    }
  } catch {
    return undefined;
  }
  return 'in order';
}

interface Size {
  readonly fields: number;
  readonly aliases: number;
  readonly depth: number;
  /** As introspection would answer it. */
  readonly weight: number;
  readonly introspection: number;
  /** Fields at its own top. */
  readonly top: number;
}

const NOTHING: Size = { fields: 0, aliases: 0, depth: 0, weight: 0, introspection: 0, top: 0 };

/** About how many entries introspection's lists have in our contract. */
const ENTRIES: Readonly<Record<string, number>> = {
  types: 300,
  directives: 6,
  fields: 8,
  inputFields: 6,
  args: 2,
  enumValues: 6,
  interfaces: 1,
  possibleTypes: 5,
  // Mostly there is none.
  ofType: 0.3,
};

function measureDocument(document: DocumentNode): { measured: Measured } | { refused: GraphQLError } {
  if (document.definitions.length > QUERY_LIMITS.definitions)
    return tooLarge(`A query has at most ${QUERY_LIMITS.definitions} operations and fragments.`);
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);

  const sizes = new Map<string, Size | 'open'>();
  let circle: string | undefined;
  const sizeOfFragment = (name: string): Size => {
    const size = sizes.get(name);
    if (size === 'open') circle ??= name;
    if (size !== undefined) return size === 'open' ? NOTHING : size;
    const fragment = fragments.get(name);
    // Validation will miss it; until then it counts, or spreads of it could be multiplied for nothing.
    if (fragment === undefined) return { ...NOTHING, fields: 1 };
    sizes.set(name, 'open');
    const measured = sizeOf(fragment.selectionSet);
    sizes.set(name, measured);
    return measured;
  };
  const sizeOfField = (field: FieldNode): Size => {
    const inner = field.selectionSet === undefined ? NOTHING : sizeOf(field.selectionSet);
    const name = field.name.value;
    const weight = 1 + inner.weight * (ENTRIES[name] ?? 1);
    return {
      fields: 1 + inner.fields,
      aliases: (field.alias === undefined ? 0 : 1) + inner.aliases,
      depth: 1 + inner.depth,
      weight,
      introspection: name === '__schema' || name === '__type' ? weight : inner.introspection,
      top: 1,
    };
  };
  const sizeOf = (set: SelectionSetNode): Size =>
    set.selections
      .map((selection) =>
        selection.kind === Kind.FIELD
          ? sizeOfField(selection)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? sizeOf(selection.selectionSet)
            : sizeOfFragment(selection.name.value),
      )
      .reduce(
        (sum, each) => ({
          fields: sum.fields + each.fields,
          aliases: sum.aliases + each.aliases,
          depth: Math.max(sum.depth, each.depth),
          weight: sum.weight + each.weight,
          introspection: sum.introspection + each.introspection,
          top: sum.top + each.top,
        }),
        NOTHING,
      );

  let introspects = false;
  for (const definition of document.definitions) {
    // The contract itself, which a question has no business to define: validation says so.
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION)
      continue;
    const operation = definition.kind === Kind.OPERATION_DEFINITION ? definition : undefined;
    const size =
      definition.kind === Kind.FRAGMENT_DEFINITION
        ? sizeOfFragment(definition.name.value)
        : sizeOf(definition.selectionSet);
    if (circle !== undefined)
      return {
        refused: refusal('GRAPHQL_VALIDATION_FAILED', `The fragment "${circle}" contains itself.`),
      };
    const most = operation?.operation === 'mutation' ? QUERY_LIMITS.mutationFields : QUERY_LIMITS.rootFields;
    if (operation !== undefined && size.top > most)
      return tooLarge(`This operation asks for ${size.top} fields at its top, of at most ${most}.`);
    for (const [name, count] of [
      ['fields', size.fields],
      ['aliases', size.aliases],
      ['depth', size.depth],
      ['introspection', size.introspection],
    ] as const)
      if (count > QUERY_LIMITS[name])
        return tooLarge(
          `This query is too large by its ${name} (${count} of ${QUERY_LIMITS[name]}), fragments counted wherever they are spread.`,
        );
    if (pairsIn(definition.selectionSet, fragments) > QUERY_LIMITS.pairs)
      return tooLarge('This query asks for the same fields too many times.');
    introspects ||= size.introspection > 0;
  }
  return { measured: { document, introspects } };
}

/** Pairs of fields that validation has to compare; the number of fields has been judged before. */
function pairsIn(set: SelectionSetNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): number {
  let pairs = 0;
  let level: (readonly FieldNode[])[] = [fieldsOf(set, fragments)];
  while (level.length > 0 && pairs <= QUERY_LIMITS.pairs) {
    const next: (readonly FieldNode[])[] = [];
    for (const fields of level) {
      const named = Map.groupBy(fields, (field) => field.alias?.value ?? field.name.value);
      for (const same of named.values()) {
        pairs += (same.length * (same.length - 1)) / 2;
        const inner = same.flatMap((field) =>
          field.selectionSet === undefined ? [] : fieldsOf(field.selectionSet, fragments),
        );
        if (inner.length > 0) next.push(inner);
      }
    }
    level = next;
  }
  return pairs;
}

/** Names of the fields at the top of an operation, each as often as it stands there. */
export function topFields(document: DocumentNode, operationName: string | undefined): string[] {
  const operation = getOperationAST(document, operationName);
  if (operation === null || operation === undefined) return [];
  const fragments = new Map(
    document.definitions.flatMap((each) =>
      each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
    ),
  );
  return fieldsOf(operation.selectionSet, fragments).map((field) => field.name.value);
}

function fieldsOf(
  set: SelectionSetNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly FieldNode[] {
  return set.selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection];
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments.get(selection.name.value);
    return inner === undefined ? [] : fieldsOf(inner.selectionSet, fragments);
  });
}

export const TOO_DEEP = `A body is at most ${QUERY_LIMITS.bodyDepth} lists and objects deep.`;

const [QUOTE, BACKSLASH, OPEN_LIST, OPEN_OBJECT, CLOSE_LIST, CLOSE_OBJECT] = Buffer.from('"\\[{]}');

/** Whether JSON is deeper than anybody means it. Looked at before it is read: JSON.parse takes a second for a megabyte of brackets. */
export function nestsTooDeep(json: Buffer): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (quoted) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > QUERY_LIMITS.bodyDepth) return true;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
  }
  return false;
}

/** @returns why not; without calling itself, since those who ask choose how deep they are. */
export function measureVariables(variables: unknown): GraphQLError | undefined {
  const open: { value: object; depth: number }[] = [];
  let values = 0;
  const look = (value: unknown, depth: number): void => {
    values += 1;
    // An uploaded file is no value to look into.
    if (typeof value === 'object' && value !== null && (Array.isArray(value) || isPlain(value)))
      open.push({ value, depth });
  };
  look(variables, 1);
  for (;;) {
    const next = open.pop();
    if (next === undefined) return undefined;
    const { value, depth } = next;
    if (depth > QUERY_LIMITS.valueDepth)
      return tooLarge(`Variables are at most ${QUERY_LIMITS.valueDepth} lists and objects deep.`).refused;
    if (Array.isArray(value) && value.length > QUERY_LIMITS.list)
      return tooLarge(`A list in the variables has at most ${QUERY_LIMITS.list} entries.`).refused;
    for (const inner of Object.values(value)) look(inner, depth + 1);
    if (values > QUERY_LIMITS.values)
      return tooLarge(`Variables hold at most ${QUERY_LIMITS.values} values.`).refused;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
