/** Types of the part of jstat that is used here. The package has none. */
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
