import { matchers } from '../../../prometheus/increase.ts'
import { INSTANCE, JOB } from '../../parts/selectors.ts'

/** The exporters that are selected above the dashboard. */
export const EXPORTERS = matchers(JOB, INSTANCE)
