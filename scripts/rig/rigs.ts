/** Every rig, by name. */
import { kill } from './kill.ts'
import { power } from './power.ts'
import type { Rig } from './rig.ts'
import { rot } from './rot.ts'
import { syscall } from './syscall.ts'

export const rigs: readonly Rig[] = [kill, syscall, power, rot]
