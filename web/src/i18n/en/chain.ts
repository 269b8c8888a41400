// Chains and their steps.

export const chain = {
  "chain.how": "The steps run from top to bottom. Each gets what the one before it made.",
  "chain.steps": "Steps",
  "chain.step": "Step {{place}}",
  "chain.undo": "Undo",
  "chain.reset": "Start over",
  "chain.empty": "A chain needs at least one step. Add one.",
  "chain.allOff": "Every step is switched off. Switch one on.",
  "chain.tooMany": "A chain has at most {{max}} steps; here are {{count}}.",
  "chain.full": "{{max}} steps are the most a chain may have.",
  "chain.added": "{{title}} added as step {{place}}.",
  "chain.moved": "{{title}} is step {{place}} of {{all}} now.",
  "chain.removed": "{{title}} removed.",
  "chain.on": "{{title}} is on",
  "chain.isOff": "Switched off",
  "chain.up": "Move {{title}} up",
  "chain.down": "Move {{title}} down",
  "chain.remove": "Remove {{title}}",
  "chain.wrong": "Something here needs a change",
  "chain.external.what":
    "The recording is sent to the external service “{{name}}” that this server is set up with, and its answer goes on.",
  "chain.noPlugin": "There is no plugin “{{name}}” here. Remove this step, or choose another.",
  "chain.version.looking": "Looking for version {{version}}…",
  "chain.noParam": "{{plugin}} has no parameter “{{param}}” (it was {{value}}).",
  "chain.leaveOut": "Leave it out",
} as const;
