import {
  OutboundError,
  type Outbound,
  type OutboundRequest,
  type OutboundResponse,
} from '../network/outbound.ts';
import { framesOf, isCovered, originOf } from './frames.ts';
import type { LtiRegistration } from './registration.ts';
import { retryAfter } from './retry-after.ts';
import { NoServiceToken, type ServiceTokens } from './service-token.ts';

export const SCORE_SCOPE = 'https://purl.imsglobal.org/spec/lti-ags/scope/score';
export const LINE_ITEM_SCOPE = 'https://purl.imsglobal.org/spec/lti-ags/scope/lineitem';
export const MEMBERSHIP_SCOPE = 'https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly';

export type Answered =
  | { readonly kind: 'answer'; readonly response: OutboundResponse }
  /** Nothing is wrong with what was asked: later. */
  | {
      readonly kind: 'later';
      readonly failure: 'unreachable' | 'busy' | 'token';
      readonly status: number | undefined;
      /** What it asked for. */
      readonly waitSeconds: number | undefined;
      /** Whatever else the platform is asked for would end the same: it gives no token now, or has been asked too often. */
      readonly whole: boolean;
    }
  /** It would be the same another time: somebody has to put something right. */
  | {
      readonly kind: 'refused';
      readonly failure: 'refused' | 'foreign' | 'token';
      readonly status: number | undefined;
    };

export type PlatformService = ReturnType<typeof makePlatformService>;

/** Asks services of platforms, with a token of the registration; an answer is one of 2xx, or one that the caller expects. */
export function makePlatformService({ outbound, tokens }: { outbound: Outbound; tokens: ServiceTokens }) {
  /** An address that a launch has named is the platform's own: its token goes to nobody else. */
  const isOwn = (registration: LtiRegistration, url: string): boolean => {
    const origin = originOf(url);
    const own = [
      ...framesOf(registration),
      ...(registration.tokenUrl === null ? [] : [originOf(registration.tokenUrl) ?? '']),
    ];
    return origin !== undefined && isCovered(origin, own);
  };

  const once = async (
    registration: LtiRegistration,
    scope: string,
    url: string,
    request: OutboundRequest,
  ): Promise<OutboundResponse> => {
    const token = await tokens.get(registration, [scope]);
    return outbound.fetch(url, {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
    });
  };

  return {
    isOwn,

    /** @param expected statuses besides 2xx that are an answer. */
    async ask(
      registration: LtiRegistration,
      scope: string,
      url: string,
      request: OutboundRequest,
      { expected = [], now }: { expected?: readonly number[]; now: Date },
    ): Promise<Answered> {
      if (!isOwn(registration, url)) return { kind: 'refused', failure: 'foreign', status: undefined };
      try {
        let response = await once(registration, scope, url, request);
        if (response.status === 401) {
          // The platform has taken the token back; if it takes a new one neither, it is no matter of the token's age.
          tokens.forget(registration, [scope]);
          response = await once(registration, scope, url, request);
          if (response.status === 401) {
            tokens.forget(registration, [scope]);
            return { kind: 'refused', failure: 'token', status: 401 };
          }
        }
        const { status } = response;
        if ((status >= 200 && status < 300) || expected.includes(status)) return { kind: 'answer', response };
        const tooOften = isTooOften(response);
        if (tooOften || status === 408 || status === 425 || status >= 500)
          return {
            kind: 'later',
            failure: 'busy',
            status,
            waitSeconds: retryAfter(response.headers.get('retry-after'), now),
            whole: tooOften,
          };
        return { kind: 'refused', failure: 'refused', status };
      } catch (error) {
        if (error instanceof NoServiceToken) return withoutToken(error);
        if (!(error instanceof OutboundError)) throw error;
        return error.isRefusal
          ? { kind: 'refused', failure: 'foreign', status: undefined }
          : {
              kind: 'later',
              failure: 'unreachable',
              status: undefined,
              waitSeconds: undefined,
              whole: false,
            };
      }
    },
  };
}

function withoutToken({ status, refused, waitSeconds }: NoServiceToken): Answered {
  return refused
    ? { kind: 'refused', failure: 'token', status }
    : {
        kind: 'later',
        failure: status === undefined ? 'unreachable' : status === 200 ? 'token' : 'busy',
        status,
        waitSeconds,
        whole: true,
      };
}

/** Canvas says so with a 403 and what is left, in some versions. */
function isTooOften({ status, headers, body }: OutboundResponse): boolean {
  return (
    status === 429 ||
    (status === 403 &&
      (Number(headers.get('x-rate-limit-remaining') ?? 1) <= 0 ||
        /rate limit exceeded/i.test(body.subarray(0, 1_000).toString())))
  );
}
