/** PromQL: replaces `_` in the `outcome` label by a space. */
export const inWords = (expression: string): string =>
  `label_replace(${expression}, "outcome", "$1 $2", "outcome", "(first|after)_(.*)")`
