import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Whether an address lies in one of some networks. */
export type Networks = (address: string) => boolean;

/** @param list CIDR blocks and single addresses, as configuration has checked them. */
export function networksOf(list: readonly string[]): Networks {
  const blocks = list.map((text) =>
    text.includes('/')
      ? ipaddr.parseCIDR(text)
      : ([ipaddr.process(text), ipaddr.process(text).kind() === 'ipv4' ? 32 : 128] as [Address, number]),
  );
  return (address) => {
    const parsed = parse(address);
    return (
      parsed !== undefined &&
      blocks.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match([network, bits]))
    );
  };
}

/** An IPv4 address inside an IPv6 one is meant as itself; a zone (`%eth0`) says nothing about who it is. */
function parse(text: string): Address | undefined {
  const bare = text.replace(/%.*$/, '');
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

/**
 * Who stands at the other end: the connection's own address, or, where that is a proxy of ours, what the proxies say. Read from the right,
 * since anybody may have written what stands further left; the first that is no proxy is the caller.
 */
export function callerAddress(request: IncomingMessage, proxies: Networks): string {
  let address = plain(request.socket.remoteAddress ?? '');
  if (!proxies(address)) return address;
  const header = request.headers['x-forwarded-for'];
  const told = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').toReversed();
  for (const text of told) {
    // Some proxies write the port too.
    const bare = text.trim().replace(/^\[(.+)\](?::\d+)?$|^([\d.]+):\d+$/, '$1$2');
    const parsed = parse(bare);
    if (parsed === undefined) break;
    address = parsed.toString();
    if (!proxies(address)) break;
  }
  return address;
}

function plain(text: string): string {
  return parse(text)?.toString() ?? text;
}

/** By what an address is counted: IPv6 by its /64, which one household or one machine has to itself. */
export function countedAs(address: string): string {
  const parsed = parse(address);
  if (parsed === undefined) return 'unknown';
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const parts = (parsed as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return `${parts.join(':')}::/64`;
}

/** NAT64 (RFC 6052 and 8215) and 6to4 (RFC 3056) carry an IPv4 address, which may be a private one. */
const CARRIERS = networksOf(['64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32', '::/96']);
/** Benchmarking (RFC 2544), documentation, and the former site-local addresses are nobody's on the internet. */
const OTHERS = networksOf([
  '198.18.0.0/15',
  '192.0.0.0/24',
  '192.88.99.0/24',
  '2001:db8::/32',
  'fec0::/10',
  '100::/64',
]);

/** Whether an address is one of the internet's, where strangers may be; anything in a network of ours or of the machine itself is not. */
export function isPublic(address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  if (!ipaddr.isValid(bare) || CARRIERS(bare) || OTHERS(bare)) return false;
  const parsed = ipaddr.parse(bare);
  // An IPv4 address inside an IPv6 one too: nobody honest writes it so.
  return parsed.range() === 'unicast';
}
