const nameMax = 64 // Longer ones are no typing mistake, and comparing costs length × length.

/** The known name that a mistyped one most likely meant, or undefined when none is close. */
export function nearest(fullName: string, known: readonly string[]): string | undefined {
  const name = fullName.slice(0, nameMax)
  const ranked = known.map((candidate) => ({ candidate, distance: distanceOf(name.toLowerCase(), candidate.toLowerCase()) }))
  const best = ranked.reduce<(typeof ranked)[number] | undefined>(
    (a, b) => (a !== undefined && a.distance <= b.distance ? a : b),
    undefined,
  )
  return best !== undefined && best.distance <= Math.max(2, Math.ceil(name.length / 3)) ? best.candidate : undefined
}

/** ` Did you mean x?`, or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const best = nearest(name, known)
  return best === undefined ? '' : ` Did you mean ${best}?`
}

/** Levenshtein: how many letters must be changed, added or removed. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
