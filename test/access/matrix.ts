import Router from '@koa/router';
import {
  getNamedType,
  getNullableType,
  isAbstractType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
} from 'graphql';
import { schema } from '../../schema/schema.ts';
import {
  again,
  fieldArgs,
  mutations,
  nodes,
  queries,
  routes,
  silent,
  unasked,
  via,
  type FieldAsking,
  type RouteAsking,
} from './askings.ts';
import { bodyOf, missing, type Objects, type World } from './world.ts';

/*
 * The rows: what there is to ask, found in the schema and in the routers, and how one cell of it is asked.
 */

/** What a cell answered. */
export interface Cell {
  /** As the legend says. */
  readonly letter: string;
  /** Which refusal, where the letter does not say. */
  readonly note?: string;
}

export interface Row {
  readonly kind: 'Query' | 'Mutation' | 'Node' | 'Field' | 'Route';
  readonly name: string;
}

/** What is asked at once: a row, or a row for each field of a type. */
export interface Question {
  readonly rows: readonly Row[];
  /** Whether it changes something, so that it must be taken back. */
  readonly changes: boolean;
  /** Whether whoever is refused must be told the same of what is not there. */
  readonly about: readonly (keyof Objects)[];
  ask(world: World, viewer: string, of: Objects): Promise<Answer>;
}

export interface Answer {
  readonly cells: readonly Cell[];
  /** As it came. */
  readonly text: string;
}

interface Json {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: { readonly code?: string };
  }[];
}

// --- Finding ------------------------------------------------------------------------------------------------------------------------

const isConnection = (type: GraphQLNamedType): boolean =>
  isObjectType(type) && type.name.endsWith('Connection') && 'edges' in type.getFields();
const isPaging = (type: GraphQLNamedType): boolean =>
  isConnection(type) || type.name === 'PageInfo' || /Connection\w*Edge$/.test(type.name);
const implementsInterface = (type: GraphQLNamedType, name: string): boolean =>
  isObjectType(type) && type.getInterfaces().some((each) => each.name === name);

const resultUnions = Object.values(schema.getTypeMap()).filter(
  (type) => isUnionType(type) && type.name.endsWith('Result'),
);
const results = new Set(
  resultUnions.flatMap((type) => (isUnionType(type) ? type.getTypes().map((each) => each.name) : [])),
);
/** Refusals are answers themselves. */
const isRefusal = (type: GraphQLNamedType): boolean =>
  implementsInterface(type, 'Refusal') && results.has(type.name);
const isPayload = (type: GraphQLNamedType): boolean => results.has(type.name) && !isRefusal(type);

const objectTypes = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter(
    (type) =>
      !type.name.startsWith('__') &&
      !isPaging(type) &&
      !isRefusal(type) &&
      ![schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].includes(type),
  )
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));
const nodeTypes = objectTypes.filter((type) => implementsInterface(type, 'Node'));

/** `service GET /certificates/:file`, by the routers and the folders of files. */
export function listRoutes({ service }: Pick<World, 'service'>): string[] {
  return Object.entries(service.app.doors).flatMap(([name, app]) =>
    app.middleware.flatMap((middleware) => {
      if ('prefix' in middleware) return [`${name} GET ${String(middleware.prefix)}/*`];
      if (!('router' in middleware) || !(middleware.router instanceof Router)) return [];
      return middleware.router.stack
        .filter((layer) => layer.methods.length > 0)
        .map((layer) => {
          const methods = layer.methods.filter((method) => method !== 'HEAD');
          return `${name} ${methods.length > 4 ? 'ALL' : methods.join('|')} ${String(layer.path)}`;
        });
    }),
  );
}

/** The entry that a key of a row is about. */
const entryOf = (key: string): string => key.replace(/ .*$/, '');
const routeOf = (key: string): string => key.split(' ').slice(0, 3).join(' ');

/** What lacks a line in askings.ts, and which lines are about nothing; each a sentence that says what to do. */
export function findGaps(world: Pick<World, 'service'>): string[] {
  const compare = (
    where: string,
    what: string,
    there: readonly string[],
    asked: readonly string[],
  ): string[] => [
    ...there
      .filter((name) => !asked.includes(name))
      .map(
        (name) =>
          `${what} ${name} is not asked: add a line \`${name}\` to \`${where}\` in test/access/askings.ts, then UPDATE_MATRIX=1 and look at its rows.`,
      ),
    ...[...new Set(asked)]
      .filter((name) => !there.includes(name))
      .map(
        (name) =>
          `${what} ${name} is no more: take \`${name}\` out of \`${where}\` in test/access/askings.ts.`,
      ),
  ];
  const fieldsOf = (type: GraphQLObjectType | null | undefined): string[] =>
    Object.keys(type?.getFields() ?? {});
  return [
    ...compare('queries', 'Query', fieldsOf(schema.getQueryType()), Object.keys(queries).map(entryOf)),
    ...compare(
      'mutations',
      'Mutation',
      fieldsOf(schema.getMutationType()),
      Object.keys(mutations).map(entryOf),
    ),
    ...compare(
      'nodes',
      'Node',
      nodeTypes.map((type) => type.name),
      Object.keys(nodes).map(entryOf),
    ),
    ...compare('routes', 'Route', listRoutes(world), Object.keys(routes).map(routeOf)),
    ...compare(
      'unasked',
      'Type',
      objectTypes.filter((type) => !isPayload(type) && !ways.has(type.name)).map((type) => type.name),
      Object.keys(unasked),
    ),
    ...fieldsOf(schema.getSubscriptionType()).map(
      (name) =>
        `Subscription ${name} is not asked: teach test/access/matrix.ts to ask subscriptions, of which there were none.`,
    ),
    ...objectTypes.flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => field.args.some(isRequiredArgument))
        .map((field) => `${type.name}.${field.name}`)
        .filter((name) => fieldArgs[name] === undefined)
        .map(
          (name) =>
            `Field ${name} has arguments that must be given: add a line \`${name}\` to \`fieldArgs\` in test/access/askings.ts.`,
        ),
    ),
  ];
}

// --- Ways to objects -------------------------------------------------------------------------------------------------------------------

interface Step {
  readonly parent: GraphQLObjectType;
  readonly field: GraphQLField<unknown, unknown>;
}

interface Way {
  /** `Node` or the key of a query. */
  readonly root: string;
  readonly rootType: GraphQLObjectType;
  readonly steps: readonly Step[];
  readonly end: GraphQLObjectType;
}

/** What a field tells of: the type of its value, of its list, of its pages. */
function targetsOf(field: GraphQLField<unknown, unknown>): GraphQLObjectType[] {
  const named = getNamedType(field.type);
  const inner =
    isObjectType(named) && isConnection(named) ? getNamedType(named.getFields()['nodes']!.type) : named;
  if (isAbstractType(inner)) return [...schema.getPossibleTypes(inner)];
  return isObjectType(inner) ? [inner] : [];
}

/** Type → the shortest way to one: as a node, or else through the fields of a query. */
function findWays(): Map<string, Way> {
  const found = new Map<string, Way>();
  const topFields = Object.values(schema.getQueryType()!.getFields()).filter(
    ({ name }) => queries[name] !== undefined && name !== 'node' && name !== 'nodes',
  );
  let reached: Way[] = [
    ...nodeTypes
      .filter((type) => nodes[type.name] !== undefined)
      .map((type): Way => ({ root: 'Node', rootType: type, steps: [], end: type })),
    ...topFields.flatMap((field) =>
      targetsOf(field).map((type): Way => ({ root: field.name, rootType: type, steps: [], end: type })),
    ),
  ].filter(isNew);
  while (reached.length > 0)
    reached = reached
      .flatMap((way) =>
        Object.values(way.end.getFields())
          .filter(
            (field) => !field.args.some(isRequiredArgument) || fieldArgs[`${way.end.name}.${field.name}`],
          )
          .flatMap((field) =>
            targetsOf(field)
              .filter(({ name }) => [undefined, `${way.end.name}.${field.name}`].includes(via[name]))
              .map((end): Way => ({ ...way, steps: [...way.steps, { parent: way.end, field }], end })),
          ),
      )
      .filter(isNew);
  return found;

  function isNew(way: Way): boolean {
    if (found.has(way.end.name)) return false;
    found.set(way.end.name, way);
    return true;
  }
}
const ways = findWays();

/** @param through `Type.field` of a node that tells of one. */
function wayThrough(through: string, end: GraphQLObjectType): Way {
  const [typeName, fieldName] = through.split('.');
  const parent = nodeTypes.find((type) => type.name === typeName);
  const field = parent?.getFields()[fieldName!];
  if (parent === undefined || field === undefined) throw new Error(`There is no ${through} of a node.`);
  return { root: 'Node', rootType: parent, steps: [{ parent, field }], end };
}

// --- Asking ---------------------------------------------------------------------------------------------------------------------------

function headersOf(world: World, viewer: string): Record<string, string> {
  const token = world.tokens.get(viewer);
  return token === null || token === undefined ? {} : { authorization: `Bearer ${token}` };
}

async function askGraphql(
  world: World,
  viewer: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  files?: FieldAsking['files'],
): Promise<{ json: Json; text: string }> {
  const answer = await fetch(`${world.service.app.publicUrl}/graphql`, {
    method: 'POST',
    headers: {
      ...headersOf(world, viewer),
      ...(files === undefined ? { 'content-type': 'application/json' } : {}),
    },
    body: files === undefined ? JSON.stringify({ query, variables }) : bodyOf(query, variables, files),
  });
  const text = await answer.text();
  const json = JSON.parse(text) as Json & { title?: string; detail?: string };
  // The door itself refuses uploads of nobody.
  return json.title === undefined
    ? { json, text }
    : { json: { errors: [{ message: json.detail ?? '', extensions: { code: json.title } }] }, text };
}

const LETTERS: Readonly<Record<string, string>> = {
  NOT_SIGNED_IN: 'S',
  NOT_FOUND: 'F',
  NOT_ALLOWED: 'A',
  INVALID_INPUT: 'I',
};

/** @throws where it is a defect, or the asking itself is wrong */
function refused(code: string | undefined, message: string, path = ''): Cell {
  if (code === undefined || /^(INTERNAL|GRAPHQL_|BAD_USER_INPUT|QUERY_TOO_LARGE|RATE_LIMITED)/.test(code))
    throw new Error(`${code ?? 'No code'}: ${message}`);
  const letter = LETTERS[code] ?? 'C';
  if (letter === 'I') return { letter, note: `I=${path === '' ? message : path}` };
  return letter === 'C' ? { letter, note: `C=${code}` } : { letter };
}

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length === 0
    : typeof value === 'object' && value !== null && 'nodes' in value && isEmpty(value.nodes);

/** A list of nothing but nulls tells no more than one. */
const isTold = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 || value.some(isTold) : value !== null && value !== undefined;

/** Of the values that a field has in several objects: what is told at all is told. */
function together(values: readonly unknown[]): Cell {
  if (values.some((value) => isTold(value) && !isEmpty(value))) return { letter: '+' };
  return { letter: values.some(isEmpty) ? '0' : '.' };
}

/** What is asked of a field's value when only whether it is there matters. */
function selectionOf(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  if (isLeafType(type)) return '';
  return isObjectType(type) && isConnection(type) ? ' { nodes { __typename } }' : ' { __typename }';
}

/** Values as variables of a document, in the types that the arguments have. */
class Variables {
  readonly declared: string[] = [];
  readonly values: Record<string, unknown> = {};

  /** @returns the arguments in brackets, or nothing */
  add(field: GraphQLField<unknown, unknown>, args: Readonly<Record<string, unknown>>): string {
    const written = Object.entries(args).map(([name, value]) => {
      const arg = field.args.find((each) => each.name === name);
      if (arg === undefined) throw new Error(`${field.name} has no argument ${name}.`);
      const variable = name in this.values ? `${name}${this.declared.length}` : name;
      this.declared.push(`$${variable}: ${String(arg.type)}`);
      this.values[variable] = value;
      return `${name}: $${variable}`;
    });
    return written.length === 0 ? '' : `(${written.join(', ')})`;
  }

  get header(): string {
    return this.declared.length === 0 ? '' : `(${this.declared.join(', ')})`;
  }
}

const argsOf = (type: GraphQLObjectType, field: GraphQLField<unknown, unknown>, of: Objects) =>
  fieldArgs[`${type.name}.${field.name}`]?.(of) ?? {};

/** The fields of a type, each under a name that tells it from all others. */
function aliased(type: GraphQLObjectType, variables: Variables, of: Objects, only?: string): string {
  return Object.values(type.getFields())
    .map((field, index) =>
      only === undefined || field.name === only
        ? `f${index}: ${field.name}${variables.add(field, argsOf(type, field, of))}${selectionOf(field)}`
        : '',
    )
    .join(' ');
}

function query(name: string, asking: FieldAsking): Question {
  const field = schema.getQueryType()!.getFields()[entryOf(name)]!;
  return {
    rows: [{ kind: 'Query', name }],
    changes: false,
    about: asking.about ?? [],
    async ask(world, viewer, of) {
      const variables = new Variables();
      const call = `${field.name}${variables.add(field, asking.args(of))}${selectionOf(field)}`;
      const { json, text } = await askGraphql(
        world,
        viewer,
        `query ${variables.header} { ${call} }`,
        variables.values,
      );
      const [error] = json.errors ?? [];
      const value = (json.data as Record<string, unknown> | null | undefined)?.[field.name];
      if (of === world.objects)
        world.seen.set(`${viewer} ${name}`, Promise.resolve(error === undefined && value !== null));
      const values = isListType(getNullableType(field.type)) && Array.isArray(value) ? value : [value];
      return {
        cells: [
          error !== undefined
            ? refused(error.extensions?.code, error.message)
            : Array.isArray(value) && value.length === 0
              ? { letter: '0' }
              : together(values),
        ],
        text,
      };
    },
  };
}

function mutation(name: string, asking: FieldAsking): Question {
  const field = schema.getMutationType()!.getFields()[entryOf(name)]!;
  const result = getNamedType(field.type);
  const payload = isUnionType(result) ? result.getTypes().find(isPayload) : undefined;
  const hasPath = isUnionType(result) && result.getTypes().some((each) => each.name === 'InvalidInput');
  const parts = name === field.name && payload !== undefined ? Object.values(payload.getFields()) : [];
  return {
    rows: [
      { kind: 'Mutation', name },
      ...parts.map((part): Row => ({ kind: 'Field', name: `${payload!.name}.${part.name}` })),
    ],
    changes: true,
    about: asking.about ?? [],
    async ask(world, viewer, of) {
      const variables = new Variables();
      const call = `${field.name}${variables.add(field, asking.args({ ...of, ...(await asking.now?.(world)) }))}`;
      const wanted = isLeafType(result)
        ? ''
        : ` { __typename ${payload === undefined ? '' : `... on ${payload.name} { ${aliased(payload, variables, of)} }`} ... on Refusal { code message } ${hasPath ? '... on InvalidInput { path }' : ''} }`;
      const { json, text } = await askGraphql(
        world,
        viewer,
        `mutation ${variables.header} { ${call}${wanted} }`,
        variables.values,
        asking.files,
      );
      const [error] = json.errors ?? [];
      const value = (json.data as Record<string, unknown> | null | undefined)?.[field.name];
      const isTold = error === undefined && isRecord(value) && value['__typename'] === payload?.name;
      const cell =
        error !== undefined
          ? refused(error.extensions?.code, error.message)
          : isRecord(value) && !isTold
            ? refused(
                value['code'] as string,
                value['message'] as string,
                value['path'] as string | undefined,
              )
            : together([value]);
      return {
        cells: [
          cell,
          ...parts.map((_part, index) => (isTold ? together([value[`f${index}`]]) : { letter: '-' })),
        ],
        text,
      };
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function node(name: string, [object]: readonly (keyof Objects)[]): Question {
  return {
    rows: [{ kind: 'Node', name }],
    changes: false,
    about: [object!],
    async ask(world, viewer, of) {
      const { json, text } = await askGraphql(
        world,
        viewer,
        'query ($id: ID!) { node(id: $id) { __typename id } }',
        { id: of[object!] },
      );
      const [error] = json.errors ?? [];
      if (error !== undefined) return { cells: [refused(error.extensions?.code, error.message)], text };
      const found = (json.data as { node: { __typename: string } | null }).node;
      if (found !== null && found.__typename !== entryOf(name))
        throw new Error(`\`${object}\` is a ${found.__typename}.`);
      return { cells: [together([found])], text };
    },
  };
}

/** All fields of a type at once, wherever one of it can be reached. */
function fields(type: GraphQLObjectType, way: Way, suffix = ''): Question {
  const all = Object.values(type.getFields());
  const isNode = way.root === 'Node';
  const request = (of: Objects, ids: readonly string[], only?: string) => {
    const variables = new Variables();
    const [open, close]: [string[], string[]] = [[], []];
    const enter = (field: GraphQLField<unknown, unknown>, args: string, into: GraphQLObjectType): void => {
      const named = getNamedType(field.type);
      const pages = isObjectType(named) && isConnection(named);
      const inner = pages ? getNamedType(named.getFields()['nodes']!.type) : named;
      open.push(`${field.name}${args} {${pages ? ' nodes {' : ''}`);
      close.push(pages ? '} }' : '}');
      if (isUnionType(inner) || isInterfaceType(inner)) {
        open.push(`... on ${into.name} {`);
        close.push('}');
      }
    };
    const targets = [...way.steps.slice(1).map((step) => step.parent), type];
    const top = schema.getQueryType()!.getFields();
    // A list is reckoned to be ten.
    if (isNode && ids.length === 1)
      enter(top['node']!, variables.add(top['node']!, { id: ids[0] }), way.rootType);
    else if (isNode) enter(top['nodes']!, variables.add(top['nodes']!, { ids }), way.rootType);
    else {
      const field = top[entryOf(way.root)]!;
      enter(field, variables.add(field, queries[way.root]!.args(of)), way.rootType);
    }
    way.steps.forEach(({ parent, field }, index) =>
      enter(field, variables.add(field, argsOf(parent, field, of)), targets[index]!),
    );
    const body = aliased(type, variables, of, only);
    return {
      query: `query ${variables.header} { ${open.join(' ')} __typename ${body} ${close.toReversed().join(' ')} }`,
      variables: variables.values,
    };
  };
  /** All objects of the type in an answer: they are where the path ends. */
  const objectsIn = (data: unknown, root: string): Record<string, unknown>[] => {
    let found: unknown[] = [data];
    for (const name of [root, ...way.steps.map((step) => step.field.name)])
      found = found.flatMap((each) => {
        const value = isRecord(each) ? each[name] : undefined;
        const list = isRecord(value) && 'nodes' in value ? value['nodes'] : value;
        return Array.isArray(list) ? list : [list];
      });
    return found.filter(isRecord).filter((each) => each['__typename'] === type.name);
  };
  return {
    rows: all.map((field) => ({ kind: 'Field', name: `${type.name}.${field.name}${suffix}` })),
    changes: false,
    about: [],
    async ask(world, viewer, of) {
      /** A question about several objects at once, or about each by itself where that is too large. */
      const ask = async (
        ids: readonly string[],
        only?: string,
      ): Promise<Json & { objects: Record<string, unknown>[] }> => {
        const { query, variables } = request(of, ids, only);
        const { json, text } = await askGraphql(world, viewer, query, variables);
        texts.push(text);
        const [error] = json.errors ?? [];
        if (error?.extensions?.code === 'QUERY_TOO_LARGE' && ids.length > 1) {
          const each = await Promise.all(ids.map(async (id) => ask([id], only)));
          return {
            objects: each.flatMap(({ objects }) => objects),
            errors: each.flatMap(({ errors }) => errors ?? []),
          };
        }
        for (const each of json.errors ?? []) refused(each.extensions?.code, each.message);
        return {
          ...json,
          objects: objectsIn(json.data, isNode ? (ids.length === 1 ? 'node' : 'nodes') : entryOf(way.root)),
        };
      };
      const texts: string[] = [];
      const ids = isNode
        ? await visibleOf(
            world,
            viewer,
            nodes[way.rootType.name]!.map((name) => of[name]),
          )
        : [];
      const isReached = isNode ? ids.length > 0 : ((await world.seen.get(`${viewer} ${way.root}`)) ?? true);
      if (!isReached) return { cells: all.map(() => ({ letter: '-' })), text: '' };
      const whole = await ask(ids);
      const errorsOf = (answer: Json, index: number): readonly NonNullable<Json['errors']>[number][] =>
        (answer.errors ?? []).filter((error) => error.path?.includes(`f${index}`) === true);
      // A field that may not be null takes its object with it, and so the others.
      const isTorn = all.some((_field, index) => errorsOf(whole, index).length > 0);
      const cells: Cell[] = [];
      for (const [index, field] of all.entries()) {
        const answer = isTorn ? await ask(ids, field.name) : whole;
        const [error] = errorsOf(answer, index);
        const told =
          answer.objects.length > 0 ? together(answer.objects.map((each) => each[`f${index}`])) : undefined;
        cells.push(
          error !== undefined && told?.letter !== '+'
            ? refused(error.extensions?.code, error.message)
            : (told ?? { letter: '-' }),
        );
      }
      return { cells, text: texts.join('\n') };
    },
  };
}

/** Those of the objects that the viewer sees at all, so that nothing need be asked of the others; kept, since many types hang on one. */
async function visibleOf(world: World, viewer: string, ids: readonly string[]): Promise<readonly string[]> {
  const seen = await Promise.all(
    ids.map(async (id) => {
      const key = `${viewer} ${id}`;
      const known =
        world.seen.get(key) ??
        askGraphql(world, viewer, 'query ($id: ID!) { node(id: $id) { id } }', { id }).then(
          ({ json }) => isRecord(json.data) && json.data['node'] !== null,
        );
      world.seen.set(key, known);
      return known;
    }),
  );
  return ids.filter((_id, at) => seen[at]);
}

function route(name: string, asking: RouteAsking): Question {
  const [door, method] = name.split(' ') as ['service' | 'content', string];
  return {
    rows: [{ kind: 'Route', name }],
    changes: !['GET', 'ALL'].includes(method),
    about: asking.about ?? [],
    async ask(world, viewer, of) {
      const { publicUrl, contentUrl } = world.service.app;
      const body = asking.body?.(of);
      const answer = await fetch(`${door === 'service' ? publicUrl : contentUrl}${asking.path(of)}`, {
        method: body === undefined ? (method === 'ALL' ? 'GET' : method) : 'POST',
        headers: {
          ...headersOf(world, viewer),
          ...(body === undefined ? {} : { 'content-type': asking.type ?? 'application/json' }),
        },
        redirect: 'manual',
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const { status } = answer;
      const content = await answer.text();
      if (status >= 500 || status === 429) throw new Error(`${status}: ${content}`);
      const letter =
        status < 300
          ? '+'
          : status < 400
            ? '>'
            : (({ 401: 'S', 403: 'A', 404: 'F', 400: 'I' } as Record<number, string>)[status] ?? 'C');
      // Whatever tells two answers apart, but for when and for which request they were given.
      const headers = [...answer.headers].filter(([header]) => !['date', 'x-request-id'].includes(header));
      return {
        cells: [{ letter, ...(letter === 'C' ? { note: `C=${status}` } : {}) }],
        text: JSON.stringify([
          status,
          headers.filter(([header]) => !/^ratelimit|^retry/.test(header)),
          content,
        ]),
      };
    },
  };
}

/** Everything that is asked, in the order of the table. */
export function listQuestions(): Question[] {
  return [
    ...Object.entries(queries)
      .filter(([name]) => schema.getQueryType()!.getFields()[entryOf(name)] !== undefined)
      .map(([name, asking]) => query(name, asking)),
    ...Object.entries(mutations)
      .filter(([name]) => schema.getMutationType()!.getFields()[entryOf(name)] !== undefined)
      .map(([name, asking]) => mutation(name, asking)),
    ...Object.entries(nodes).map(([name, objects]) => node(name, objects)),
    ...objectTypes.flatMap((type) => {
      const way = ways.get(type.name);
      if (way === undefined) return [];
      return [
        fields(type, way),
        ...again
          .filter((each) => each.type === type.name)
          .map((each) =>
            'query' in each
              ? fields(
                  type,
                  { root: each.query, rootType: type, steps: [], end: type },
                  each.query.slice(entryOf(each.query).length),
                )
              : fields(type, wayThrough(each.through, type), each.name),
          ),
      ];
    }),
    ...Object.entries(routes).map(([name, asking]) => route(name, asking)),
  ];
}

/** The same objects, but for those that a question is about: they are not there. */
export function withMissing(of: Objects, about: readonly (keyof Objects)[]): Objects {
  return { ...of, ...Object.fromEntries(about.map((name) => [name, missing(of[name])])) };
}

/** An answer about what is not there, as if it had been asked about what is: refusals tell the number that they were asked about. */
export function asAsked(text: string, of: Objects, about: readonly (keyof Objects)[]): string {
  return about.reduce((result, name) => result.replaceAll(missing(of[name]), of[name]), text);
}

export { silent };
