import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { isTree, type Tree } from '../../src/config/layers.ts'
import { loadSettings } from '../../src/config/load.ts'
import { listSettings } from '../../src/config/settings.ts'

const pathOf = (name: string): string => fileURLToPath(new URL(`../../config/${name}`, import.meta.url))

function namesIn(tree: Tree, above = ''): string[] {
  return Object.entries(tree).flatMap(([key, value]) => (isTree(value) ? namesIn(value, `${above}${key}.`) : [`${above}${key}`]))
}

describe('the example files', () => {
  it.each([
    ['full.yaml', {}],
    ['single.yaml', {}],
    ['compose.yaml', { FARSHORE_REGION: 'us-east-1' }],
    ['compose.yaml', { FARSHORE_REGION: 'eu-west-1' }],
  ])('accepts %s %o', async (name, environment) => {
    await expect(loadSettings({ file: pathOf(name), environment })).resolves.toMatchObject({ admin: { port: 9001 } })
  })

  it('names every setting in full.yaml, with its default where it has one', () => {
    const tree: Tree = parse(readFileSync(pathOf('full.yaml'), 'utf8'))
    const text = readFileSync(pathOf('full.yaml'), 'utf8')
    const names = new Set(namesIn(tree))
    // A secret is given by value or by file; the other way stands in a comment.
    const missing = listSettings().filter((setting) => !names.has(setting.name) && !text.includes(`# ${setting.path.at(-1)}:`))
    expect(missing.map((setting) => setting.name)).toEqual([])
    for (const { name, path, defaultValue, kind } of listSettings()) {
      if (defaultValue === undefined || kind === 'list') continue
      const value = path.reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree)
      expect({ name, value }).toEqual({ name, value: defaultValue })
    }
  })
})
