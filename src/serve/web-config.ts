export interface WebConfig {
  tls?: unknown
}
export const readWebConfig = (_f: string): WebConfig => ({})
