import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import { GraphQLError } from 'graphql';
import type { Language } from '../src/courses/language.ts';
import { InvalidInput } from '../src/errors.ts';
import type { Context } from './context.ts';

export const MAX_PAGE = 100;
/** What one operation may cost: about the fields that its answer holds, lists counted by tens. */
export const MAX_COST = 5_000;
const DEFAULT_PAGE = 20;

/**
 * One convention for refusals. A mutation answers a union: its payload, or the refusals it may meet, all of which implement
 * `Refusal`. A query answers null for what is not there or not the viewer's; where it must say why, an error with the same
 * `code` in its extensions.
 */
export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  Scalars: {
    Date: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    File: { Input: File; Output: never };
  };
}>({
  defaultFieldNullability: false,
  plugins: [ErrorsPlugin, RelayPlugin, ComplexityPlugin],
  errors: {
    directResult: true,
    defaultUnionOptions: {
      name: ({ fieldName }) => `${fieldName.charAt(0).toUpperCase()}${fieldName.slice(1)}Result`,
    },
  },
  relay: {
    nodesOnConnection: true,
    // It costs what it asks for; as a list of unknown length it would cost ten, however many ids it names.
    nodesQueryOptions: { complexity: ({ ids }) => ({ field: 1, multiplier: Math.max(1, ids.length) }) },
  },
  complexity: {
    limit: { complexity: MAX_COST, depth: 14, breadth: 400 },
    complexityError: (kind, { depth, breadth, complexity, maxDepth, maxBreadth, maxComplexity }) =>
      new GraphQLError(
        `This query is too large by its ${kind.toLowerCase()} (depth ${depth} of ${maxDepth}, breadth ${breadth} of ${maxBreadth}, cost ${complexity} of ${maxComplexity}). Ask for fewer fields or smaller pages.`,
        { extensions: { code: 'QUERY_TOO_LARGE' } },
      ),
  },
});

builder.queryType({ description: 'Reading. What is not there and what is not yours both answer null.' });
builder.mutationType({
  description: 'Changing. Each answers its payload or one of the refusals in its union.',
});

builder.scalarType('Date', {
  description: 'A calendar day in China, `YYYY-MM-DD`.',
  serialize: (value) => value,
  parseValue: (value) => {
    const real =
      typeof value === 'string' &&
      /^\d{4}-\d{2}-\d{2}$/.test(value) &&
      !Number.isNaN(Date.parse(value)) &&
      new Date(value).toISOString().startsWith(value);
    if (!real) throw new GraphQLError('A Date is a day that exists, written YYYY-MM-DD.');
    return value;
  },
});
builder.scalarType('DateTime', {
  description: 'An instant, ISO 8601 in UTC.',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    if (typeof value !== 'string' || Number.isNaN(Date.parse(value)))
      throw new GraphQLError('A DateTime is an ISO 8601 instant.');
    return new Date(value);
  },
});
builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
});
builder.scalarType('File', {
  description: 'An uploaded file: GraphQL multipart request.',
  serialize: () => {
    throw new GraphQLError('A File is only given, never answered.');
  },
  parseValue: (value) => {
    if (typeof value !== 'object' || value === null || !('arrayBuffer' in value))
      throw new GraphQLError('Send a File by a GraphQL multipart request.');
    return value as File;
  },
});

export const LanguageEnum = builder.enumType('Language', {
  description: 'zh-CN first; English beside it.',
  values: { zh_CN: { value: 'zh-CN' }, en: { value: 'en' } } as const,
});
export const languageArg = { type: LanguageEnum, defaultValue: 'zh-CN' as Language, required: true } as const;

export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** Relay's `first`, within 1 and 100. @throws InvalidInput */
export function pageSize(args: PageArgs): number {
  const first = args.first ?? DEFAULT_PAGE;
  if (!Number.isInteger(first) || first < 1 || first > MAX_PAGE)
    throw new InvalidInput('first', `A page has from 1 to ${MAX_PAGE} entries.`);
  return first;
}

/** A Relay connection of `rows`, which were asked with one more than the page holds. */
export function connectionOf<T>(rows: readonly T[], size: number, cursorOf: (row: T) => string) {
  const edges = rows.slice(0, size).map((node) => ({ node, cursor: cursorOf(node) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > size,
      hasPreviousPage: false,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/** A page costs what it holds; Pothos counts ten for each list otherwise. */
export const pageComplexity = (args: PageArgs): { field: number; multiplier: number } => ({
  field: 1,
  multiplier: Math.max(1, (args.first ?? DEFAULT_PAGE) / 10),
});
