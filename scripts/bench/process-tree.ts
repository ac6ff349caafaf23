/** CPU time and memory of a process and all its children, from Linux's /proc; elsewhere there is none to be had. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Linux tells times in this unit to user space on every architecture: USER_HZ. */
const tickMs = 10

/** @returns milliseconds of CPU since each started, children that have ended included */
export function cpuMs(root: number): number | undefined {
  const tree = treeOf(root)
  return tree.length === 0 ? undefined : tree.reduce((sum, { ticks }) => sum + ticks, 0) * tickMs
}

/** Begins to look for the peak anew. */
export function resetPeakRss(root: number): void {
  for (const { pid } of treeOf(root)) {
    try {
      // https://www.kernel.org/doc/html/latest/filesystems/proc.html: 5 resets the peak resident set size.
      writeFileSync(`/proc/${pid}/clear_refs`, '5')
    } catch {
      // Another user's process: the peak is then that of its whole life.
    }
  }
}

/** @returns bytes; the sum of each process's own peak, so at most too much */
export function peakRssBytes(root: number): number | undefined {
  return memoryOf(root, /^VmHWM:\s+(\d+) kB/m)
}

/** @returns bytes that are resident now */
export function rssBytes(root: number): number | undefined {
  return memoryOf(root, /^VmRSS:\s+(\d+) kB/m)
}

function memoryOf(root: number, line: RegExp): number | undefined {
  const tree = treeOf(root)
  if (tree.length === 0) return undefined
  return tree.reduce((sum, { pid }) => sum + 1024 * Number(line.exec(read(`/proc/${pid}/status`))?.[1] ?? 0), 0)
}

interface ProcessStat {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
}

function treeOf(root: number): ProcessStat[] {
  const all = processIds().flatMap(statOf)
  const tree = all.filter(({ pid }) => pid === root)
  for (const one of tree) tree.push(...all.filter(({ parent }) => parent === one.pid))
  return tree
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function statOf(pid: number): ProcessStat[] {
  const text = read(`/proc/${pid}/stat`)
  // The name stands in parentheses and may hold anything; man 5 proc_pid_stat numbers what follows from 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  const [parent, ...times] = [4, 14, 15, 16, 17].map(field)
  return parent === undefined || Number.isNaN(parent) ? [] : [{ pid, parent, ticks: times.reduce((sum, time) => sum + time, 0) }]
}

/** A process may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
