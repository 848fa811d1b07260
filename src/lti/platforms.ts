/** What is special about a product; everything else follows the specifications. As data, so that the code asks no product by name. */
export interface Platform {
  readonly key: string;
  readonly name: { readonly 'zh-CN': string; readonly en: string };
  /** As its OpenID configuration calls it (`product_family_code`), in lower case. */
  readonly families: readonly string[];
  /** Origins that frame a launch and are neither the issuer's nor that of one of its addresses; as a policy's source has them. */
  readonly frames: readonly string[];
  /** What it fills in for somebody's staff number, where a custom parameter carries it. */
  readonly staffNumberVariable: string;
  /** How many seconds its clock may be off. */
  readonly clockSkewSeconds: number;
  /** A deployment that nobody named is taken with its first launch: the platform makes one for each registration, and tells it to nobody before. */
  readonly opensFirstDeployment: boolean;
  /** Where its dynamic registration has to say that choosing a link is offered; empty: it decides for itself. */
  readonly linkPlacements: readonly string[];
  /** Claims that its dynamic registration wants in our configuration before it sends anything of a person: with their address, or without. */
  readonly privacyClaims: Readonly<Record<'name' | 'nameAndEmail', Readonly<Record<string, string>>>>;
  /** Hosts of its maker that tell the configuration of an issuer which is elsewhere, by issuer. */
  readonly configuredAt: Readonly<Record<string, readonly string[]>>;
}

const usual = {
  frames: [],
  staffNumberVariable: '$Person.sourcedId',
  clockSkewSeconds: 60,
  opensFirstDeployment: false,
  linkPlacements: [],
  privacyClaims: { name: {}, nameAndEmail: {} },
  configuredAt: {},
} as const;

export const platforms: readonly Platform[] = [
  { ...usual, key: 'moodle', name: { 'zh-CN': 'Moodle', en: 'Moodle' }, families: ['moodle', 'totara'] },
  {
    ...usual,
    key: 'canvas',
    name: { 'zh-CN': 'Canvas', en: 'Canvas' },
    families: ['canvas'],
    // Its schools have hosts of their own, and its issuer is one for all of them.
    frames: ['https://*.instructure.com'],
    // Modules, and assignments. A tool without placements is installed and seen nowhere; one without a privacy level is told of nobody who they are.
    linkPlacements: ['link_selection', 'assignment_selection'],
    privacyClaims: {
      name: { 'https://canvas.instructure.com/lti/privacy_level': 'name_only' },
      nameAndEmail: { 'https://canvas.instructure.com/lti/privacy_level': 'public' },
    },
  },
  { ...usual, key: 'sakai', name: { 'zh-CN': 'Sakai', en: 'Sakai' }, families: ['sakai'] },
  {
    ...usual,
    key: 'blackboard',
    name: { 'zh-CN': 'Blackboard', en: 'Blackboard' },
    families: ['blackboard', 'blackboardlearn', 'learn'],
    frames: ['https://*.blackboard.com'],
    // One issuer for all of its sites; the portal of its maker registers tools for it.
    configuredAt: {
      'https://blackboard.com': ['https://developer.blackboard.com', 'https://developer.anthology.com'],
    },
  },
  {
    ...usual,
    key: 'open-edx',
    name: { 'zh-CN': 'Open edX', en: 'Open edX' },
    families: ['openedx', 'open edx', 'open-edx'],
    // The block shows its deployment only after it has been saved, and has just the one.
    opensFirstDeployment: true,
  },
  { ...usual, key: 'other', name: { 'zh-CN': '其他平台', en: 'Another platform' }, families: [] },
];

export const platformKeys: readonly string[] = platforms.map(({ key }) => key);

export function platformOf(key: string): Platform {
  return platforms.find((each) => each.key === key) ?? platforms.at(-1)!;
}

/** @param family `product_family_code` of an OpenID configuration. */
export function platformOfFamily(family: string | undefined): Platform {
  const wanted = family?.trim().toLowerCase() ?? '';
  return platforms.find(({ families }) => families.includes(wanted)) ?? platforms.at(-1)!;
}
