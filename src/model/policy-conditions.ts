/** The Condition of a policy statement: every operator and every key in it must hold; of a key's values one is enough. */
import type { PolicyContext } from './policy-context.ts'
import { asRecord, shown, syntaxError } from './policy-elements.ts'
import { PolicyError } from './policy-error.ts'
import { findOperator, type Operator } from './policy-operators.ts'
import { expand } from './policy-variables.ts'

export interface Condition {
  /** Without quantifier and IfExists: `StringLike`, `Null`. */
  readonly operator: string
  readonly quantifier?: 'ForAnyValue' | 'ForAllValues'
  readonly ifExists: boolean
  readonly key: string
  readonly values: readonly string[]
}

/** `unknown`: nobody here can tell, so that an Allow must not count on it and a Deny must not be escaped by it. */
export type Truth = boolean | 'unknown'

/** @throws PolicyError for an operator that IAM has not, and for a value that is not of the operator's type */
export function parseConditions(value: unknown): readonly Condition[] {
  if (value === undefined) return []
  return Object.entries(asRecord<string>(value)).flatMap(([name, keys]) => {
    const operator = parseOperatorName(name)
    return Object.entries(asRecord<string>(keys)).map(([key, values]) => {
      if (!/^[A-Za-z0-9./_-]+:[^\s]+$/.test(key)) {
        throw new PolicyError('malformed', 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.')
      }
      return { ...operator, key, values: parseValues(operator.operator, values) }
    })
  })
}

/** @param variables  whether the policy's version has variables */
export function evaluateConditions(
  conditions: readonly Condition[],
  { context, variables }: { readonly context: PolicyContext; readonly variables: boolean },
): Truth {
  return all(conditions.map((condition) => evaluateCondition(condition, context, variables)))
}

type OperatorName = Pick<Condition, 'operator' | 'quantifier' | 'ifExists'>

function parseOperatorName(name: string): OperatorName {
  const [, quantifier, operator = '', ifExists] = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name) ?? []
  const isNull = operator === 'Null' && quantifier === undefined && ifExists === undefined
  if (!isNull && findOperator(operator) === undefined) {
    throw new PolicyError('malformed', `Invalid Condition type : ${name.slice(0, 128)}.`)
  }
  const isQuantifier = quantifier === 'ForAnyValue' || quantifier === 'ForAllValues'
  return { operator, ...(isQuantifier && { quantifier }), ifExists: ifExists !== undefined }
}

function parseValues(operator: string, value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (values.length === 0) throw syntaxError('A key has no value')
  return values.map((one) => {
    if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') throw syntaxError(`${shown(one)} is no value`)
    const text = String(one)
    // What a variable will hold is not known yet.
    const isChecked = text.includes('${') || (operator === 'Null' ? /^(true|false)$/i.test(text) : findOperator(operator)?.accepts(text))
    if (!isChecked) throw new PolicyError('malformed', `Invalid value for the condition type ${operator}: ${text.slice(0, 128)}`)
    return text
  })
}

function evaluateCondition(condition: Condition, context: PolicyContext, variables: boolean): Truth {
  const requested = context.values(condition.key)
  if (requested === undefined && !context.knows(condition.key)) return 'unknown'
  if (condition.operator === 'Null') {
    const isAbsent = requested === undefined || requested.length === 0
    return any(condition.values.map((value) => (value.toLowerCase() === 'true') === isAbsent))
  }
  const operator = findOperator(condition.operator)
  if (operator === undefined) return 'unknown'
  if (requested === undefined || requested.length === 0) return condition.ifExists || whenAbsent(condition, operator)

  const wanted = condition.values.map((value) => expand(value, variables ? context : undefined))
  const holdsFor = (value: string): Truth => {
    const matches = any(
      wanted.map((one) => {
        // A variable that the request lacks equals nothing.
        if (typeof one === 'string') return one === 'absent' ? false : 'unknown'
        return operator.compare(value, one) ?? 'unknown'
      }),
    )
    return operator.negated ? not(matches) : matches
  }
  switch (condition.quantifier) {
    case 'ForAnyValue':
      return any(requested.map(holdsFor))
    case 'ForAllValues':
      return all(requested.map(holdsFor))
    case undefined: {
      // IAM leaves open what a plain operator says of a key with many values.
      const [value] = requested
      return requested.length === 1 && value !== undefined ? holdsFor(value) : 'unknown'
    }
    default:
      return condition.quantifier satisfies never
  }
}

/** A key that the request lacks equals nothing, and is unequal to everything; all of its no values satisfy anything, and none satisfies. */
function whenAbsent(condition: Condition, operator: Operator): boolean {
  if (condition.quantifier !== undefined) return condition.quantifier === 'ForAllValues'
  return operator.negated
}

function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false
  return truths.includes('unknown') ? 'unknown' : true
}

function any(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true
  return truths.includes('unknown') ? 'unknown' : false
}

function not(truth: Truth): Truth {
  return truth === 'unknown' ? truth : !truth
}
