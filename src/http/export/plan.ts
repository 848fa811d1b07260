import {
  getDirectiveValues,
  getNamedType,
  getNullableType,
  getVariableValues,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  GraphQLString,
  isCompositeType,
  isLeafType,
  isListType,
  isObjectType,
  isUnionType,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type GraphQLLeafType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { InvalidInput } from '../../errors.ts';

/** A leaf that a query selects, below what makes a row. */
export interface Column {
  /** Keys (aliases) from the row. */
  readonly path: readonly string[];
  /** The field's own name, whatever it is called in the answer. */
  readonly fieldName: string;
  readonly type: GraphQLLeafType;
  /** Stands below the list that makes further rows. */
  readonly isInList: boolean;
}

/** How an answer becomes a table. Paths are keys (aliases) of the answer. */
export interface Plan {
  /** As the query calls itself. */
  readonly operationName: string | undefined;
  /** From the top: to the connection, or to the answer of the only top-level field. */
  readonly source: readonly string[];
  /** The same in field names, which say what is exported whatever it is called. */
  readonly sourceFields: readonly string[];
  /** Keys inside the connection; undefined: there is none and the answer is not paged. */
  readonly connection:
    | {
        readonly nodes: string;
        readonly pageInfo: string;
        readonly hasNextPage: string;
        readonly endCursor: string;
      }
    | undefined;
  /** From the row: the list of objects that makes one row for each of its elements. */
  readonly list: readonly string[] | undefined;
  /** At least one. */
  readonly columns: readonly Column[];
}

/** A field of the answer with all that was selected of it, fragments merged. */
interface Selected {
  readonly key: string;
  readonly fieldName: string;
  readonly type: GraphQLOutputType;
  readonly nodes: FieldNode[];
  readonly below: Map<string, Selected>;
}

interface Found {
  readonly field: Selected;
  readonly trail: readonly Selected[];
}

/** Fragments may say much with few characters. */
const MAX_SELECTIONS = 5_000;

/**
 * Reads off a valid query what its table is. The rows are the nodes of its one connection, all of whose pages are followed; of a query without one,
 * what the only top-level field answers: an object is a row, a list is a row for each element. The columns are the leaves below, in order of selection.
 * One list of objects below makes a row for each of its elements, with what stands beside it repeated. What a query selects beside its connection is left out.
 * @throws InvalidInput for what is no table, with how to make it one.
 */
export function planTable(
  schema: GraphQLSchema,
  document: DocumentNode,
  request: { operationName?: string | undefined; variables: Readonly<Record<string, unknown>> },
): Plan {
  const operation = findOperation(document, request.operationName);
  if (operation.operation !== OperationTypeNode.QUERY)
    throw refused(`Only a query can be exported, and this is a ${operation.operation}.`);
  const top = selectionOf(schema, document, operation, request.variables);

  const connections = [...findAll(top, isConnection)];
  if (connections.length > 1)
    throw refused(
      `A table is one connection, and this query has ${connections.length}: ${connections.map(nameOf).join(', ')}. Export them one by one.`,
    );
  const [connection] = connections;
  const operationName = operation.name?.value;
  if (connection !== undefined) return { operationName, ...planConnection(connection) };

  const [root, ...others] = top.values();
  if (root === undefined || others.length > 0 || root.below.size === 0)
    throw refused(
      'Without a connection a table is what one top-level field answers: select one, with fields below it.',
    );
  return {
    operationName,
    source: [root.key],
    sourceFields: [root.fieldName],
    connection: undefined,
    ...columnsOf(root.below),
  };
}

function planConnection(connection: Found): Omit<Plan, 'operationName'> {
  const name = nameOf(connection);
  if (connection.trail.some(({ type }) => isList(type)))
    throw refused(
      `${name} stands within a list, and the pages of several connections can't be followed at once.`,
    );
  const isPaged = connection.field.nodes.every((node) =>
    node.arguments?.some(
      ({ name: { value: argument }, value }) =>
        argument === 'after' && value.kind === Kind.VARIABLE && value.name.value === 'after',
    ),
  );
  if (!isPaged)
    throw refused(
      `The pages of ${name} can't be followed: declare $after: String in the query and give ${name} the argument after: $after.`,
    );
  const one = (of: Map<string, Selected>, fieldName: string, where: string): Selected => {
    const [field, another] = [...of.values()].filter((each) => each.fieldName === fieldName);
    if (field === undefined || another !== undefined)
      throw refused(
        `Select ${fieldName} of ${where} once: an export needs nodes { … } and pageInfo { hasNextPage endCursor }.`,
      );
    return field;
  };
  const { below } = connection.field;
  const nodes = one(below, 'nodes', name);
  const pageInfo = one(below, 'pageInfo', name);
  const trail = [...connection.trail, connection.field];
  return {
    source: trail.map(({ key }) => key),
    sourceFields: trail.map(({ fieldName }) => fieldName),
    connection: {
      nodes: nodes.key,
      pageInfo: pageInfo.key,
      hasNextPage: one(pageInfo.below, 'hasNextPage', `${name}.pageInfo`).key,
      endCursor: one(pageInfo.below, 'endCursor', `${name}.pageInfo`).key,
    },
    ...columnsOf(nodes.below),
  };
}

function columnsOf(below: Map<string, Selected>): Pick<Plan, 'columns' | 'list'> {
  const columns: Column[] = [];
  let list: readonly string[] | undefined;
  const visit = (fields: Map<string, Selected>, above: readonly string[], isInList: boolean): void => {
    for (const { key, fieldName, type, below: its } of fields.values()) {
      const path = [...above, key];
      const named = getNamedType(type);
      if (isLeafType(named)) {
        columns.push({ path, fieldName, type: named, isInList });
      } else if (isList(type)) {
        if (list !== undefined)
          throw refused(
            `A table has one list of objects below its rows, and this query has ${list.join('.')} and ${path.join('.')}. Export them one by one.`,
          );
        list = path;
        visit(its, path, true);
      } else {
        visit(its, path, isInList);
      }
    }
  };
  visit(below, [], false);
  if (columns.length === 0) throw refused('This query selects no field that a column could be made of.');
  return { columns, list };
}

function findOperation(document: DocumentNode, name: string | undefined): OperationDefinitionNode {
  const operations = document.definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
  const [operation, another] =
    name === undefined ? operations : operations.filter((each) => each.name?.value === name);
  if (operation === undefined)
    throw new InvalidInput(
      'operationName',
      name === undefined ? 'There is no query in it.' : `There is no operation ${name} in the query.`,
    );
  if (another !== undefined)
    throw new InvalidInput(
      'operationName',
      'There are several operations in the query: say by operationName which one is meant.',
    );
  return operation;
}

/** What an operation selects; what is skipped by its directives is not there. */
function selectionOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): Map<string, Selected> {
  const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  if (coerced.errors !== undefined) throw new InvalidInput('variables', coerced.errors[0]!.message);
  const values = coerced.variableValues;
  const fragments = new Map(
    document.definitions
      .filter((each) => each.kind === Kind.FRAGMENT_DEFINITION)
      .map((each) => [each.name.value, each]),
  );
  let left = MAX_SELECTIONS;
  const collect = (into: Map<string, Selected>, typeName: string, { selections }: SelectionSetNode): void => {
    const type = schema.getType(typeName)!;
    for (const selection of selections) {
      left -= 1;
      if (left < 0)
        throw refused(`The query selects more than ${MAX_SELECTIONS} fields, with those of its fragments.`);
      if (getDirectiveValues(GraphQLSkipDirective, selection, values)?.['if'] === true) continue;
      if (getDirectiveValues(GraphQLIncludeDirective, selection, values)?.['if'] === false) continue;
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value)!;
        collect(into, fragment.typeCondition.name.value, fragment.selectionSet);
        continue;
      }
      if (selection.kind === Kind.INLINE_FRAGMENT) {
        collect(into, selection.typeCondition?.name.value ?? typeName, selection.selectionSet);
        continue;
      }
      const fieldName = selection.name.value;
      // Clients add it to every selection by themselves; under an alias somebody wants to see it.
      if (fieldName === '__typename' && selection.alias === undefined) continue;
      const key = selection.alias?.value ?? fieldName;
      const fieldType =
        fieldName === '__typename' || !isCompositeType(type) || isUnionType(type)
          ? GraphQLString
          : (schema.getField(type, fieldName)?.type ?? GraphQLString);
      let selected = into.get(key);
      if (selected === undefined) {
        selected = { key, fieldName, type: fieldType, nodes: [], below: new Map() };
        into.set(key, selected);
      }
      selected.nodes.push(selection);
      if (selection.selectionSet !== undefined)
        collect(selected.below, getNamedType(fieldType).name, selection.selectionSet);
    }
  };
  const top = new Map<string, Selected>();
  collect(top, schema.getQueryType()!.name, operation.selectionSet);
  return top;
}

function* findAll(
  fields: Map<string, Selected>,
  is: (field: Selected) => boolean,
  trail: readonly Selected[] = [],
): Generator<Found> {
  for (const field of fields.values()) {
    if (is(field)) yield { field, trail };
    yield* findAll(field.below, is, [...trail, field]);
  }
}

/** As Relay has it: an object with `pageInfo` and `nodes`. */
function isConnection({ type }: Selected): boolean {
  const named = getNamedType(type);
  if (!isObjectType(named)) return false;
  const { pageInfo, nodes } = named.getFields();
  return nodes !== undefined && pageInfo !== undefined && getNamedType(pageInfo.type).name === 'PageInfo';
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type));
}

function nameOf({ field, trail }: Found): string {
  return [...trail, field].map(({ key }) => key).join('.');
}

function refused(message: string): InvalidInput {
  return new InvalidInput('query', message);
}
