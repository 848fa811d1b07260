/**
 * Why a login or a launch is not taken. For the log alone: whoever sent it is shown a page that says what to do, and an id.
 * One reason for each way in which it can be wrong.
 */
export type LaunchReason =
  // Initiation of the login.
  | 'login-parameter-missing'
  | 'login-parameter-repeated'
  | 'login-oversized'
  | 'issuer-unknown'
  | 'issuer-ambiguous'
  | 'target-foreign'
  // The answer, before its token is looked at.
  | 'launch-oversized'
  | 'launch-parameter-repeated'
  | 'platform-error'
  | 'state-missing'
  | 'state-unknown'
  | 'state-expired'
  | 'state-used'
  | 'state-other-browser'
  | 'state-not-bound'
  | 'registration-changed'
  | 'token-missing'
  | 'token-oversized'
  | 'token-malformed'
  // The token, in the order of the specification.
  | 'algorithm-refused'
  | 'key-unknown'
  | 'key-set-unreachable'
  | 'key-set-wrong'
  | 'signature-wrong'
  | 'issuer-wrong'
  | 'audience-wrong'
  | 'party-missing'
  | 'party-wrong'
  | 'expired'
  | 'expiry-missing'
  | 'issued-missing'
  | 'issued-in-future'
  | 'not-yet-valid'
  | 'nonce-missing'
  | 'nonce-used'
  | 'nonce-unknown'
  // The message.
  | 'message-type'
  | 'version-wrong'
  | 'deployment-missing'
  | 'deployment-unknown'
  | 'deployment-closed'
  | 'target-missing'
  | 'resource-link-missing'
  | 'subject-missing'
  | 'roles-missing'
  // Deep links.
  | 'role-chooses-nothing'
  | 'settings-missing'
  | 'return-missing'
  | 'return-foreign'
  | 'types-refused'
  | 'data-wrong'
  | 'selection-over'
  | 'choice-wrong'
  // Who it is.
  | 'account-changed'
  | 'account-refused'
  // A platform that registers itself.
  | 'invitation-unknown'
  | 'invitation-used'
  | 'invitation-expired'
  | 'configuration-url'
  | 'configuration-unreachable'
  | 'configuration-malformed'
  | 'configuration-issuer'
  | 'configuration-lacks'
  | 'configuration-address'
  | 'registration-failed'
  | 'registration-malformed'
  | 'registration-taken';

export class LaunchRefused extends Error {
  override name = 'LaunchRefused';
  readonly reason: LaunchReason;
  /** More for the log: never a value that somebody sent. */
  readonly detail: string | undefined;
  constructor(reason: LaunchReason, detail?: string) {
    super(reason);
    this.reason = reason;
    this.detail = detail;
  }
}
