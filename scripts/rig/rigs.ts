/** Every rig, by name. */
import { disk } from './disk.ts'
import { drain } from './drain.ts'
import { kill } from './kill.ts'
import { memory } from './memory.ts'
import { overloadRig } from './overload.ts'
import { power } from './power.ts'
import type { Rig } from './rig.ts'
import { rot } from './rot.ts'
import { syscall } from './syscall.ts'

export const rigs: readonly Rig[] = [kill, drain, overloadRig, disk, memory, syscall, power, rot]
