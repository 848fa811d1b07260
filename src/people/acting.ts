import { actingFor } from '../db/acting.ts';
import type { Scope } from '../regions/division.ts';
import { isSelf, permissions, scopesOf, type Viewer } from './permission.ts';

const texts = new WeakMap<Viewer, string>();

/** Runs `work`, and whatever it starts, with the rows of the database that are the viewer's; undefined: nobody's. */
export function forViewer<T>(viewer: Viewer | undefined, work: () => T): T {
  return actingFor(viewer === undefined ? '' : textOf(viewer), work);
}

/** `{"actor": id, "person": id, "units": {permission: [unit …]}}`: who acts, whose own things may be seen, and where what may be done; a unit is a division's code, minus an organization's id, or `*`. */
function textOf(viewer: Viewer): string {
  let text = texts.get(viewer);
  if (text === undefined) {
    const units = permissions.map(
      (permission) => [permission, scopesOf(viewer, permission).map(keyOf)] as const,
    );
    text = JSON.stringify({
      actor: viewer.personId,
      ...(isSelf(viewer, viewer.personId) ? { person: viewer.personId } : {}),
      units: Object.fromEntries(units.filter(([, its]) => its.length > 0)),
    });
    texts.set(viewer, text);
  }
  return text;
}

function keyOf(scope: Scope): string {
  if (scope.kind === 'nation') return '*';
  return scope.kind === 'division' ? scope.code : `-${scope.id}`;
}
