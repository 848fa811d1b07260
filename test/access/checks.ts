import { join, relative } from 'node:path';
import { parseSync, type Plugin } from 'vite';
import { projectFolder } from '../../src/config.ts';

/*
 * Every check of a permission in the source, found in its syntax: where somebody is asked for, what they may, whose something is. Each can be
 * switched to what it would never refuse while the service runs.
 */

/** How a check is switched. */
type Kind =
  /** Its answer, or what its promise will be, is replaced. */
  | 'value'
  /** It throws where there is nobody. */
  | 'viewer';

export interface Check {
  readonly path: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** What the call is called that it stands in; empty at the top of a statement. */
  readonly within: string;
  readonly kind: Kind;
  /** What it is switched to, one after the other. */
  readonly mutants: readonly Mutant[];
}

export type Mutant = 'true' | 'false' | 'nation' | 'somebody';

const VIEWER_CALLS = ['signedIn', 'requireViewer'];

interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** @param path from the project's folder */
export function findChecks(path: string, code: string): Check[] {
  const { program, errors } = parseSync(path, code, { lang: path.endsWith('.tsx') ? 'tsx' : 'ts' });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`);
  const found: Check[] = [];
  const add = (node: Syntax, within: string, kind: Kind, mutants: readonly Mutant[]): void => {
    found.push({
      path,
      line: code.slice(0, node.start).split('\n').length,
      start: node.start,
      end: node.end,
      text: code.slice(node.start, node.end).replaceAll(/\s+/g, ' '),
      within,
      kind,
      mutants,
    });
  };
  const visit = (node: unknown, within: string): void => {
    if (Array.isArray(node)) {
      for (const each of node) visit(each, within);
      return;
    }
    if (!isSyntax(node)) return;
    if (node.type === 'CallExpression' && isSyntax(node['callee']) && node['callee'].type === 'Identifier') {
      const name = String(node['callee']['name']);
      if (/^may([A-Z]|$)/.test(name)) add(node, within, 'value', ['true']);
      else if (name === 'isSelf') add(node, within, 'value', ['true', 'false']);
      else if (name === 'scopesOf') add(node, within, 'value', ['nation']);
      else if (VIEWER_CALLS.includes(name)) add(node, within, 'viewer', ['somebody']);
    }
    if (node.type === 'BinaryExpression' && /^[!=]==?$/.test(String(node['operator']))) {
      const sides = [node['left'], node['right']]
        .filter(isSyntax)
        .map((side) => code.slice(side.start, side.end));
      if (sides.some((side) => /\bviewer!?\??\.personId$/.test(side)))
        add(node, within, 'value', ['true', 'false']);
      // Nobody is let through.
      else if (sides.includes('undefined') && sides.some((side) => /\bviewer$/i.test(side)))
        add(node, within, 'value', [node['operator'] === '===' ? 'false' : 'true']);
    }
    const callee = node.type === 'CallExpression' ? node['callee'] : undefined;
    const inside = isSyntax(callee) ? code.slice(callee.start, callee.end).replaceAll(/\s+/g, '') : within;
    for (const value of Object.values(node)) if (typeof value === 'object') visit(value, inside);
  };
  visit(program, '');
  return found;
}

const isSyntax = (node: unknown): node is Syntax =>
  typeof node === 'object' && node !== null && 'type' in node && typeof node.type === 'string';

/** Where it is. */
export const idOf = ({ path, line, text }: Check): string => `${path}:${line} ${text}`;

/** What it is, wherever in its file it has moved. */
export const nameOf = ({ path, text, within }: Check, mutant: Mutant): string => {
  const last = within.split('.').slice(-2).join('.');
  return `${path}: ${last === '' || last.length > 60 ? text : `${last}(… ${text} …)`} → ${mutant}`;
};

/** Wraps every check of `src` and `schema` so that `checkSwitch` hears of it. */
export function switchableChecks(): Plugin {
  return {
    name: 'switchable-checks',
    enforce: 'pre',
    transform(code, id) {
      const path = relative(projectFolder, id.replace(/\?.*$/, ''));
      if (!/^(src|schema)\/.*\.ts$/.test(path) || path.startsWith(join('src', 'web'))) return undefined;
      const checks = findChecks(path, code);
      if (checks.length === 0) return undefined;
      const pieces = checks
        .flatMap((check) => {
          const name = `globalThis.checkSwitch.${check.kind}(${JSON.stringify(idOf(check))}, `;
          const isLater = check.kind === 'viewer';
          return [
            { at: check.start, text: `${name}${isLater ? '() => ' : ''}`, order: check.end },
            { at: check.end, text: ')', order: -check.start },
          ];
        })
        // Of two that begin at the same place the longer one begins first.
        .toSorted((a, b) => a.at - b.at || b.order - a.order);
      let [result, at] = ['', 0];
      for (const piece of pieces) {
        result += code.slice(at, piece.at) + piece.text;
        ({ at } = piece);
      }
      // Line for line as before.
      return { code: result + code.slice(at), map: null };
    },
  };
}
