import { describe, expect, it } from 'vitest';
import { countedAs, isPublic, networksOf } from '../../src/network/address.ts';

describe('addresses', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', 'unknown'],
    ['made up', 'unknown'],
  ])('counts %s as %s', (address, counted) => {
    expect(countedAs(address)).toBe(counted);
  });

  it('knows the internet from what is nobody else’s', () => {
    for (const address of [
      '8.8.8.8',
      '93.184.216.34',
      '2606:2800:220:1::1',
      '114.114.114.114',
      '2400:3200::1',
    ])
      expect({ address, is: isPublic(address) }).toEqual({ address, is: true });
    for (const address of [
      '0.0.0.0',
      '10.0.0.1',
      '100.127.255.255',
      '127.9.9.9',
      '169.254.0.1',
      '172.31.255.255',
      '192.0.0.8',
      '192.168.1.1',
      '198.19.0.1',
      '203.0.113.1',
      '224.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::8.8.8.8',
      '::ffff:8.8.8.8',
      '64:ff9b::8.8.8.8',
      '64:ff9b:1::1',
      '2001::1',
      '2001:db8::1',
      '2002:808:808::1',
      'fc00::1',
      'fdff::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      'not an address',
      '',
    ])
      expect({ address, is: isPublic(address) }).toEqual({ address, is: false });
  });

  it('finds an address in networks of its own kind', () => {
    const networks = networksOf(['10.0.0.0/8', '::1', 'fd00::/8', '192.0.2.7']);
    for (const address of ['10.9.9.9', '::ffff:10.0.0.1', '::1', 'fd12::1', '192.0.2.7'])
      expect({ address, is: networks(address) }).toEqual({ address, is: true });
    for (const address of ['11.0.0.1', '::2', 'fe80::1', '192.0.2.8', '', 'x'])
      expect({ address, is: networks(address) }).toEqual({ address, is: false });
    expect(networksOf([])('127.0.0.1')).toBe(false);
  });
});
