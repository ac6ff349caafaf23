/** What the demo shows: short lines, headings, and two answers side by side. */

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

export function title(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(3, 96 - text.length))}`)
}

/** Rows of a name and two values, in columns. */
export function sideBySide(headings: readonly [string, string, string], rows: readonly (readonly [string, string, string])[]): void {
  const widths = [0, 1].map((column) => Math.max(...[headings, ...rows].map((row) => (row[column] ?? '').length)))
  for (const row of [headings, ...rows]) {
    say(`  ${(row[0] ?? '').padEnd(widths[0] ?? 0)}   ${(row[1] ?? '').padEnd(widths[1] ?? 0)}   ${row[2] ?? ''}`)
  }
}
