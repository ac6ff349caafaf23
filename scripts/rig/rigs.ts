/** Every rig, by name. */
import type { Rig } from './rig.ts'

export const rigs: readonly Rig[] = []
