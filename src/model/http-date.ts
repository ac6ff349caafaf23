/**
 * Reads the dates of HTTP headers: RFC 1123 (`Sun, 06 Nov 1994 08:49:37 GMT`) and ISO 8601. Never asks what time it is.
 */
const rfc1123 = /^(?:[A-Za-z]{3,9}, *)?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}) (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC|[+-]0000)$/
const iso8601 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|[+-]00:?00)$/
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/** Milliseconds since 1970; `undefined` for what is absent or ill-formed. */
export function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const trimmed = text.trim()
  const http = rfc1123.exec(trimmed)
  if (http !== null) {
    const [, day, month = '', year, hour, minute, second] = http
    return exactTime([Number(year), months.indexOf(month.toLowerCase()), Number(day), Number(hour), Number(minute), Number(second)], 0)
  }
  const iso = iso8601.exec(trimmed)
  if (iso !== null) {
    const [, year, month, day, hour, minute, second, fraction = '0'] = iso
    const ms = Math.floor(Number(`0.${fraction}`) * 1000)
    return exactTime([Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)], ms)
  }
  return undefined
}

type DateParts = readonly [year: number, month: number, day: number, hour: number, minute: number, second: number]

/** Date.UTC would make 3 March of 31 February; such a date is ill-formed. */
function exactTime(parts: DateParts, ms: number): number | undefined {
  const [year, month, day, hour, minute, second] = parts
  const date = new Date(Date.UTC(year, month, day, hour, minute, second, ms))
  const isExact =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  return isExact ? date.getTime() : undefined
}
