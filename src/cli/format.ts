/** Addresses as they are shown to people. */

/** `http://127.0.0.1:9000`. An address that means every one of this machine is shown as the one that always works here. */
export function addressOf(host: string, port: number): string {
  const shown = host === '0.0.0.0' || host === '::' || host === 'localhost' ? '127.0.0.1' : host
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}
