/** How pg itself puts a JavaScript value as PostgreSQL's text; what else sends statements over its connections, as `pg-cursor`, takes it too. */
declare module 'pg/lib/utils.js' {
  export function prepareValue(value: unknown): Buffer | string | null;
}
