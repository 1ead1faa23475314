import type { AgentAdapter } from './agent-adapter.ts'
import type { AgentRequest } from './agent-run.ts'

/**
 * The prompt for the CLI. Some CLIs replace `@name` by the content of that file. In values of the build (a log, a
 * specification) every `@` is escaped for them, so that only the template can include files.
 */
export function instructionText({ instruction, values }: AgentRequest, { escape }: AgentAdapter): string {
  const escaped = Object.entries(values).map(([name, value]) => [name, escape?.(value) ?? value])
  return fillIn(instruction.template, Object.fromEntries(escaped) as Record<string, string>)
}

/** Replaces every `{{name}}`. Throws a `TypeError` for a name without a value: the model would see the placeholder. */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`the instruction contains {{${name}}}, which has no value`)
    return value
  })
}
