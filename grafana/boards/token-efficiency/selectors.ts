import { CONTEXT, ERROR } from '../../parts/selectors.ts'

/** Label matchers of the dashboard's variables, by the labels that a metric has. */
/** Metrics of builds also have the project. */
export const BUILDS = `${CONTEXT},project=~"$project"`
export const STEPS = 'phase=~"$phase"'
export const TOKENS = `${CONTEXT},${STEPS},${ERROR}`
export const ERRORS = `${CONTEXT},${ERROR}`
/** Token series of fixes. */
export const FIXES = `${CONTEXT},phase="rework",${ERROR}`
