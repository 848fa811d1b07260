import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

/*
 * Services of the test platform: Assignment and Grade Services 2.0, Names and Role Provisioning Services 2.0, and where deep links come
 * back. As strict as the platform itself: whatever is against a specification is an error that a test sees.
 */

const AGS = 'https://purl.imsglobal.org/spec/lti-ags/scope/';
const NRPS = 'https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly';
const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
const DL = 'https://purl.imsglobal.org/spec/lti-dl/claim/';

export interface TakenScore {
  readonly lineItem: string;
  readonly userId: string;
  readonly scoreGiven?: number;
  readonly activityProgress: string;
  readonly gradingProgress: string;
  readonly timestamp: string;
}
export interface Column {
  readonly id: string;
  readonly label: string;
  readonly resourceId?: string;
  readonly resourceLinkId?: string;
}
export interface Member {
  readonly user_id: string;
  readonly roles: readonly string[];
  readonly status?: 'Active' | 'Inactive' | 'Deleted';
  readonly name?: string;
  readonly lis_person_sourcedid?: string;
}
/** What a request is answered with instead; drop: the connection ends without a word; hang: it has no answer until `release`. */
export type Mishap = { readonly status: number; readonly headers?: Record<string, string> } | 'drop' | 'hang';

interface Host {
  readonly issuer: string;
  readonly tokens: ReadonlyMap<string, { clientId: string; scopes: readonly string[] }>;
  readonly now: () => Date;
  readonly tools: ReadonlyMap<string, { clientId: string; keySetUrl: string; deploymentId: string }>;
}

const must = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(what);
};

export class PlatformServices {
  readonly #host: Host;
  /** In the order in which they were taken. */
  readonly scores: TakenScore[] = [];
  /** Made by the tool, beside those of links. */
  readonly columns: Column[] = [];
  /** Links that have a line item; undefined: whatever is asked for. */
  members: readonly Member[] = [];
  /** Since the last reading. */
  differences: readonly Member[] = [];
  offersDifferences = true;
  membersPerPage = 2;
  /** Taken one after the other by requests of the services; empty: all is well. */
  readonly mishaps: Mishap[] = [];
  /** By path and body, for as long as it is there; after those. */
  mishapOf: (pathname: string, body: string) => Mishap | undefined = () => undefined;
  readonly #hanging = new Set<() => void>();
  /** Of the services, in the order in which they were asked for. */
  readonly asked: string[] = [];
  /** Answers of deep linking: the token's claims. */
  readonly selections: Record<string, unknown>[] = [];

  constructor(host: Host) {
    this.#host = host;
  }

  /** What somebody's score is now, as a gradebook has it. */
  gradeOf(lineItem: string, userId: string): TakenScore | undefined {
    return this.scores.findLast((score) => score.lineItem === lineItem && score.userId === userId);
  }

  get hanging(): number {
    return this.#hanging.size;
  }
  release(): void {
    for (const end of this.#hanging) end();
    this.#hanging.clear();
  }

  /** @returns whether it was one of the services. */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    body: () => Promise<string>,
  ): Promise<boolean> {
    const { pathname } = url;
    if (pathname === '/deep-link') {
      await this.#takeSelection(request, response, new URLSearchParams(await body()));
      return true;
    }
    if (!pathname.startsWith('/lineitems') && !pathname.startsWith('/memberships')) return false;
    const text = await body();
    this.asked.push(pathname);
    const mishap = this.mishaps.shift() ?? this.mishapOf(pathname, text);
    if (mishap === 'hang') {
      await new Promise<void>((resolve) => this.#hanging.add(resolve));
      response.writeHead(504);
      response.end();
      return true;
    }
    if (mishap === 'drop') {
      request.socket.destroy();
      return true;
    }
    if (mishap !== undefined) {
      response.writeHead(mishap.status, mishap.headers ?? {});
      response.end('<h1>Sorry</h1>');
      return true;
    }
    const token = this.#host.tokens.get(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    if (token === undefined) {
      response.writeHead(401);
      response.end();
      return true;
    }
    const allowed = (scope: string): void =>
      must(token.scopes.includes(scope), `${pathname}: not with ${scope}`);
    const send = (
      status: number,
      type: string,
      json?: unknown,
      headers: Record<string, string> = {},
    ): void => {
      response.writeHead(status, { 'content-type': type, ...headers });
      response.end(json === undefined ? undefined : JSON.stringify(json));
    };
    if (pathname === '/memberships') {
      allowed(NRPS);
      must(request.method === 'GET', 'Members are read.');
      must(
        request.headers.accept === 'application/vnd.ims.lti-nrps.v2.membershipcontainer+json',
        'Members: accept',
      );
      const changed = url.searchParams.has('since');
      const all = changed ? this.differences : this.members;
      const page = Number(url.searchParams.get('page') ?? '0');
      const from = page * this.membersPerPage;
      const links: string[] = [];
      if (from + this.membersPerPage < all.length) {
        const next = new URL(url);
        next.searchParams.set('page', String(page + 1));
        links.push(`<${next.href}>; rel="next"`);
      } else if (this.offersDifferences)
        links.push(`<${this.#host.issuer}/memberships?since=${Date.now()}>; rel=differences`);
      send(
        200,
        'application/vnd.ims.lti-nrps.v2.membershipcontainer+json',
        {
          id: url.href,
          context: { id: 'course-1' },
          members: all.slice(from, from + this.membersPerPage),
        },
        links.length === 0 ? {} : { link: links.join(', ') },
      );
      return true;
    }
    if (pathname === '/lineitems') {
      allowed(`${AGS}lineitem`);
      if (request.method === 'GET') {
        const wanted = url.searchParams.get('resource_id');
        send(
          200,
          'application/vnd.ims.lis.v2.lineitemcontainer+json',
          this.columns.filter(({ resourceId }) => wanted === null || resourceId === wanted),
        );
        return true;
      }
      must(
        request.headers['content-type'] === 'application/vnd.ims.lis.v2.lineitem+json',
        'A line item: type',
      );
      const said = JSON.parse(text) as Omit<Column, 'id'> & { scoreMaximum: number };
      must(said.scoreMaximum > 0 && said.label.length > 0, 'A line item: what it lacks');
      must(
        !this.columns.some(({ resourceId }) => resourceId === said.resourceId),
        `A second line item for ${said.resourceId}`,
      );
      const column = { ...said, id: `${this.#host.issuer}/lineitems/c${this.columns.length + 1}?type=1` };
      this.columns.push(column);
      send(201, 'application/vnd.ims.lis.v2.lineitem+json', column);
      return true;
    }
    const lineItem = /^\/lineitems\/([^/]+)\/scores$/.exec(pathname)?.[1];
    must(lineItem !== undefined, `${pathname}: no such service`);
    allowed(`${AGS}score`);
    must(url.searchParams.get('type') === '1', 'The query of the line item was lost.');
    must(request.method === 'POST', 'A score is posted.');
    must(request.headers['content-type'] === 'application/vnd.ims.lis.v1.score+json', 'A score: type');
    this.#takeScore(decodeURIComponent(lineItem!), JSON.parse(text) as Record<string, unknown>, send);
    return true;
  }

  /** Section 3.4. */
  #takeScore(
    lineItem: string,
    said: Record<string, unknown>,
    send: (status: number, type: string) => void,
  ): void {
    must(typeof said['userId'] === 'string' && said['userId'] !== '', 'A score: userId');
    must(
      ['Initialized', 'Started', 'InProgress', 'Submitted', 'Completed'].includes(
        said['activityProgress'] as string,
      ),
      'A score: activityProgress',
    );
    must(
      ['FullyGraded', 'Pending', 'PendingManual', 'Failed', 'NotReady'].includes(
        said['gradingProgress'] as string,
      ),
      'A score: gradingProgress',
    );
    must(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(said['timestamp'] as string),
      'A score: timestamp',
    );
    if (said['scoreGiven'] !== undefined)
      must(
        typeof said['scoreGiven'] === 'number' &&
          said['scoreGiven'] >= 0 &&
          Number(said['scoreMaximum']) >= said['scoreGiven'],
        'A score: scoreGiven of scoreMaximum',
      );
    const score = { lineItem, ...said } as unknown as TakenScore;
    const last = this.gradeOf(lineItem, score.userId);
    const second = (text: string): number => Math.floor(Date.parse(text) / 1000);
    if (last !== undefined && second(score.timestamp) <= second(last.timestamp)) {
      send(409, 'application/json');
      return;
    }
    this.scores.push(score);
    send(200, 'application/json');
  }

  /** Deep Linking 2.0, section 4.4. */
  async #takeSelection(
    request: IncomingMessage,
    response: ServerResponse,
    form: URLSearchParams,
  ): Promise<void> {
    must(request.method === 'POST', 'A selection is posted.');
    const token = form.get('JWT') ?? '';
    const claimed = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      iss?: string;
    };
    const tool = this.#host.tools.get(claimed.iss ?? '');
    must(tool !== undefined, 'A selection: iss is not a client.');
    must(decodeProtectedHeader(token).kid !== undefined, 'A selection: kid');
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(tool!.keySetUrl)), {
      algorithms: ['RS256'],
      audience: this.#host.issuer,
      requiredClaims: ['iat', 'exp', 'nonce'],
      currentDate: this.#host.now(),
    });
    must(payload[`${CLAIM}message_type`] === 'LtiDeepLinkingResponse', 'A selection: message_type');
    must(payload[`${CLAIM}version`] === '1.3.0', 'A selection: version');
    must(payload[`${CLAIM}deployment_id`] === tool!.deploymentId, 'A selection: deployment_id');
    must(Array.isArray(payload[`${DL}content_items`]), 'A selection: content_items');
    for (const item of payload[`${DL}content_items`] as Record<string, unknown>[]) {
      must(typeof item['type'] === 'string', 'An item: type');
      must(
        Object.values(item['custom'] ?? {}).every((value) => typeof value === 'string'),
        'An item: custom values are text',
      );
    }
    this.selections.push(payload);
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end('<!doctype html><html lang="zh-CN"><title>ok</title><h1>已添加</h1></html>');
  }
}
