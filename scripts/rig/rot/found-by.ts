/** Who finds a damage. Whoever looks without being asked for an object, a scrub or an operator's check, is one more finder. */
export interface Finder {
  readonly name: string
  finds(): boolean | Promise<boolean>
}

/** The first that finds it, in their order; undefined when nobody does. */
export async function foundBy(finders: readonly Finder[]): Promise<string | undefined> {
  for (const finder of finders) if (await finder.finds()) return finder.name
  return undefined
}
