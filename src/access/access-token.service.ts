import { inPart } from '../db/acting.ts';
import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { PeopleService } from '../people/people.service.ts';
import { isSelf, may, narrow, scopesOf, type TokenPermission, type Viewer } from '../people/permission.ts';
import { intersect, type PlacedScope, type Scope, type Unit } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import {
  formatToken,
  hashSecret,
  isWellFormedToken,
  MAX_TOKEN_DAYS,
  MAX_TOKENS,
  type AccessToken,
} from './access-token.ts';
import {
  countAccessTokens,
  findAccessToken,
  findAccessTokenByHash,
  insertAccessToken,
  listAccessTokensOf,
  revokeAccessToken,
  touchAccessToken,
} from './access-token.repository.ts';
import { USE_MS, type Aside } from './aside.ts';
import { findPersonViewer } from './session.repository.ts';

const DAY_MS = 86_400_000;

export type AccessTokenService = ReturnType<typeof makeAccessTokenService>;

/** Tokens for programs that act for a person, and for less than the person. */
export function makeAccessTokenService({
  db,
  clock,
  random,
  regions,
  people,
  aside,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  regions: RegionService;
  people: PeopleService;
  aside: Aside;
}) {
  const today = (): string => chinaDay(clock.now());

  /** Where each scope stands now: schools move, and divisions are regrouped. */
  const place = async (scopes: readonly Scope[]): Promise<PlacedScope[]> => {
    const [divisions, organizations] = await Promise.all([
      regions.listDivisions(scopes.flatMap((scope) => (scope.kind === 'division' ? [scope.code] : []))),
      regions.listOrganizations(scopes.flatMap((scope) => (scope.kind === 'organization' ? [scope.id] : []))),
    ]);
    return scopes.map((scope) => ({
      scope,
      place:
        scope.kind === 'division'
          ? divisions.find((division) => division.code === scope.code)
          : scope.kind === 'organization'
            ? organizations.find((organization) => organization.id === scope.id)
            : undefined,
    }));
  };

  /** What a token of this unit leaves of the viewer. Without a unit no grant is left: oneself stands nowhere. */
  const cut = async (
    viewer: Viewer,
    token: { id: string; permissions: readonly TokenPermission[]; unit: Unit | null },
  ): Promise<Viewer> => {
    const scopes = viewer.grants.map((grant) => grant.within ?? grant.scope);
    const [unit, ...placed] = token.unit === null ? [] : await place([token.unit, ...scopes]);
    const left = new Map(
      unit === undefined ? [] : placed.map((each) => [each.scope, intersect(each, unit)] as const),
    );
    return narrow(viewer, { tokenId: token.id, permissions: token.permissions }, (scope) => left.get(scope));
  };

  /** Whether the viewer ends tokens where the person holds a post or a grant today. */
  const administers = async (viewer: Viewer, personId: string): Promise<boolean> => {
    const scopes = scopesOf(viewer, 'access.revoke');
    if (scopes.length === 0) return false;
    if (scopes.some((scope) => scope.kind === 'nation')) return true;
    const posts = await people.listPostsToday([personId]);
    const places = await regions.listOrganizations(posts.map((post) => post.organizationId));
    const { grants } = await findPersonViewer(db, personId, today());
    const granted = await place(grants.map((grant) => grant.scope));
    return [...places, ...granted.flatMap((each) => each.place ?? [])].some((each) =>
      may(viewer, 'access.revoke', each),
    );
  };
  const visible = async (viewer: Viewer, token: AccessToken | undefined): Promise<AccessToken | undefined> =>
    token !== undefined && (isSelf(viewer, token.personId) || (await administers(viewer, token.personId)))
      ? token
      : undefined;

  const service = {
    /**
     * Who a token stands for: its owner, with what is left of the owner's grants of today. undefined for one that is unknown, mistyped,
     * expired or revoked, all alike.
     */
    async viewer(token: string): Promise<Viewer | undefined> {
      if (!isWellFormedToken(token)) return undefined;
      const now = clock.now();
      const found = await findAccessTokenByHash(db, hashSecret(token), now);
      if (found === undefined) return undefined;
      const since = new Date(now.getTime() - USE_MS);
      if (found.lastUsedAt === null || found.lastUsedAt <= since)
        aside.run(async () => touchAccessToken(db, found.id, now, since));
      return {
        ...(await cut(await findPersonViewer(db, found.personId, today()), found)),
        via: 'token',
      };
    },

    /**
     * Makes a token for a part of what the viewer may do themselves. It is told this once.
     * @throws NotAllowed outside of a session: a token or an issuer's word can't make what lasts longer than itself. NotFound for a unit
     * that is not there or where the viewer may do nothing; InvalidInput; Conflict TOO_MANY_TOKENS.
     */
    async create(
      viewer: Viewer,
      input: {
        name: string;
        permissions: readonly TokenPermission[];
        unit: Unit | null;
        expiresAt: Date;
      },
    ): Promise<{ accessToken: AccessToken; token: string }> {
      if (viewer.via !== 'session' && viewer.via !== 'sample')
        throw new NotAllowed('Access tokens are made in a session: sign in.');
      const name = input.name.trim();
      if (name === '' || name.length > 100 || /\p{Cc}/u.test(name))
        throw new InvalidInput('input.name', 'A name of 1 to 100 characters, to know the token by.');
      const now = clock.now();
      if (input.expiresAt <= now || input.expiresAt.getTime() > now.getTime() + MAX_TOKEN_DAYS * DAY_MS)
        throw new InvalidInput('input.expiresAt', `A token ends within ${MAX_TOKEN_DAYS} days from now.`);
      const permissions = [...new Set(input.permissions)];
      if (permissions.length === 0)
        throw new InvalidInput('input.permissions', 'Give at least one permission, or SELF.');
      const placed = permissions.filter((permission) => permission !== 'self');
      if (placed.length > 0 && input.unit === null)
        throw new InvalidInput('input.unitId', 'Say where: all permissions but SELF hold in a unit.');
      if (placed.length === 0 && input.unit !== null)
        throw new InvalidInput('input.unitId', 'SELF alone has no unit.');
      if (input.unit !== null) {
        const left = await cut(viewer, { id: '', permissions, unit: input.unit });
        if (left.grants.length === 0) throw new NotFound('The unit');
        const lacking = placed.filter((permission) => scopesOf(left, permission).length === 0);
        if (lacking.length > 0)
          throw new InvalidInput('input.permissions', `You may not do this there: ${lacking.join(', ')}.`);
      }
      const token = formatToken(random(32));
      const accessToken = await db.transaction().execute(async (tx) => {
        if ((await countAccessTokens(tx, viewer.personId, now)) >= MAX_TOKENS)
          throw new Conflict('TOO_MANY_TOKENS', `There are ${MAX_TOKENS} already; revoke one first.`);
        const made = await insertAccessToken(tx, {
          tokenHash: hashSecret(token),
          personId: viewer.personId,
          name,
          permissions,
          unit: input.unit,
          createdAt: now,
          expiresAt: input.expiresAt,
        });
        await insertJournalEntry(tx, {
          at: now,
          actor: `person:${viewer.personId}`,
          action: 'access-token.create',
          subject: `access-token:${made.id}`,
          personId: viewer.personId,
          detail: { permissions, unit: input.unit, expiresAt: input.expiresAt.toISOString() },
        });
        return made;
      });
      return { accessToken, token };
    },

    /**
     * Ends a token at once, one's own or that of somebody whom the viewer administers; one that is over stays as it is.
     * @throws NotFound
     */
    async revoke(viewer: Viewer, id: string): Promise<AccessToken> {
      if ((await visible(viewer, await findAccessToken(db, id))) === undefined)
        throw new NotFound('The access token');
      const now = clock.now();
      return db.transaction().execute(async (tx) => {
        const token = (await findAccessToken(tx, id, { lock: true }))!;
        if (token.revokedAt !== null) return token;
        await revokeAccessToken(tx, id, { by: viewer.personId, at: now });
        await insertJournalEntry(tx, {
          at: now,
          actor: `person:${viewer.personId}`,
          action: 'access-token.revoke',
          subject: `access-token:${id}`,
          personId: token.personId,
        });
        return { ...token, revokedAt: now };
      });
    },

    find: async (viewer: Viewer, id: string): Promise<AccessToken | undefined> =>
      visible(viewer, await findAccessToken(db, id)),

    /** One's own, or of somebody whom the viewer administers, newest first; undefined for all others, alike. */
    async listOf(viewer: Viewer, personId: string): Promise<AccessToken[] | undefined> {
      return isSelf(viewer, personId) || (await administers(viewer, personId))
        ? listAccessTokensOf(db, personId)
        : undefined;
    },
  };
  return inPart('gate', service);
}
