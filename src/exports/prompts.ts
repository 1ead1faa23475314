// The entry point `audit-trace-capture/prompts`: without modules of Node.js, for workflow code.

export {
  choosePromptVersion,
  type ChosenVersion,
  type WeightedVersion,
} from '../capture/agent/choose-prompt-version.ts'
