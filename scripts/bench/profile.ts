/** Where the time goes: the functions of a V8 CPU profile by the time that they took themselves, and with what they called. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const shownMax = 40
/** Below this a process did nothing worth showing, such as the one that only watches the regions. */
const busyMinMs = 1000

export function profileText(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))
  return files.map((name) => oneText(name, JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile)).join('') // V8's own format
}

function oneText(name: string, profile: CpuProfile): string {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const own = new Map<string, number>()
  const total = new Map<string, number>()
  let busy = 0
  for (const [i, id] of profile.samples.entries()) {
    const ms = (profile.timeDeltas[i] ?? 0) / 1000
    const label = labelOf(nodes.get(id))
    if (label === '(idle)') continue
    busy += ms
    own.set(label, (own.get(label) ?? 0) + ms)
    const stack = new Set<string>()
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) stack.add(labelOf(nodes.get(at)))
    for (const one of stack) total.set(one, (total.get(one) ?? 0) + ms)
  }
  if (busy < busyMinMs) return ''
  const lines = (times: ReadonlyMap<string, number>): string =>
    [...times]
      .sort(([, a], [, b]) => b - a)
      .slice(0, shownMax)
      .map(([label, ms]) => `  ${((100 * ms) / busy).toFixed(1).padStart(5)} %  ${label}\n`)
      .join('')
  return `\n${name}: ${Math.round(busy)} ms busy\nby themselves\n${lines(own)}with what they called\n${lines(total)}`
}

function labelOf(node: CpuProfile['nodes'][number] | undefined): string {
  if (node === undefined) return '(unknown)'
  const { functionName, url, lineNumber } = node.callFrame
  const place = url.replace(/^.*\/(node_modules|src)\//, '$1/').replace('node_modules/', '')
  return place === '' ? functionName || '(anonymous)' : `${functionName || '(anonymous)'}  ${place}:${lineNumber + 1}`
}
