/** The two ways a SigV4 request writes its time. */

const amzDate = /^[1-9]\d{7}T\d{6}Z$/

/** yyyymmddThhmmssZ → milliseconds since 1970; undefined for anything else, 30 February included. */
export function parseAmzDate(text: string): number | undefined {
  if (!amzDate.test(text)) return undefined
  const number = (from: number, to: number): number => Number(text.slice(from, to))
  const month = number(4, 6)
  const day = number(6, 8)
  const [hour, minute, second] = [number(9, 11), number(11, 13), number(13, 15)]
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined
  const ms = Date.UTC(number(0, 4), month - 1, day, hour, minute, second)
  // Date.UTC takes the 30th of February for the 2nd of March.
  return new Date(ms).getUTCDate() === day ? ms : undefined
}

export function formatAmzDate(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

/** A Date header in RFC 1123's form, as HTTP has it; undefined for anything else. */
export function parseHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}
