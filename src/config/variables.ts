import { isWithin } from '../edit-distance.ts'

const PREFIX = 'AUDIT_'

/** Kubernetes and Docker links set these for a service whose name begins with `audit`. */
const OF_A_SERVICE = /_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_.+)?)?)$/u

/**
 * One sentence for each variable that begins like ours and that no command reads: a misspelt one would be ignored
 * without a word. `known` are the variables of all commands: those of another command are set on purpose.
 */
export function unknownVariables(names: readonly string[], known: readonly string[]): string[] {
  return names
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !OF_A_SERVICE.test(name))
    .toSorted()
    .map((name) => {
      const meant = known.find((each) => isWithin(2, name, each))
      return `${name}: no command reads this variable.${meant === undefined ? '' : ` Did you mean ${meant}?`}`
    })
}
