const IPV4_IN_IPV6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * What one customer of a provider has for themselves: an IPv4 address, or the /64 of an IPv6 address, within which
 * they may take another one for each request.
 *
 * @param address of a client; what is none is its own network
 */
export function networkOf(address: string): string {
  const ipv4 = IPV4_IN_IPV6.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  // A link-local address carries the name of an interface.
  const [plain = ''] = address.split('%');
  const url = `http://[${plain}]`;
  if (!plain.includes(':') || !URL.canParse(url)) return address;
  // In one spelling of many: lower case, no leading zeros, the longest run of zeros left out.
  const [head = '', tail] = new URL(url).hostname.slice(1, -1).split('::');
  const first = head.split(':').filter(Boolean);
  const last = tail === undefined ? [] : tail.split(':').filter(Boolean);
  const zeros = Array<string>(8 - first.length - last.length).fill('0');
  return `${[...first, ...zeros, ...last].slice(0, 4).join(':')}::/64`;
}
