/** What an action of IAM or STS is: data and one function, as an operation of S3. */
import type { Principal } from '../access/caller.ts'
import type { ControlDoor } from '../control/door.ts'
import type { QueryService } from '../s3/query-api.ts'
import type { XmlValue } from '../s3/xml/write.ts'
import type { Parameters } from './parameters.ts'

export interface ActionContext {
  readonly control: ControlDoor
  /** The account's root: nobody else gets this far. */
  readonly caller: Principal
  readonly nowMs: number
}

export interface Action {
  readonly service: QueryService
  readonly name: string
  /** The parameters that it reads; any other is refused. */
  readonly parameters: readonly string[]
  /** @returns what stands in `<NameResult>`; undefined when the action has no result */
  perform(context: ActionContext, parameters: Parameters): Promise<XmlValue>
}
