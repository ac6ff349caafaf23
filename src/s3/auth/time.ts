/** The two ways a SigV4 request writes its time. */

const amzDate = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/

/** yyyymmddThhmmssZ → milliseconds since 1970; undefined for anything else, 30 February included. */
export function parseAmzDate(text: string): number | undefined {
  const parts = amzDate.exec(text)
  if (parts === null) return undefined
  const [, year, month, day, hour, minute, second] = parts.map(Number)
  const ms = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second)
  // Date.UTC takes the 30th of February for the 2nd of March.
  return formatAmzDate(ms) === text ? ms : undefined
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
