/** As much of jstat as the statistics need; the package ships no types. */
declare module 'jstat' {
  const jstat: {
    readonly jStat: {
      readonly normal: {
        cdf(x: number, mean: number, deviation: number): number
        inv(p: number, mean: number, deviation: number): number
      }
      readonly studentt: {
        cdf(x: number, freedom: number): number
        inv(p: number, freedom: number): number
      }
      gammaln(x: number): number
    }
  }
  export default jstat
}
