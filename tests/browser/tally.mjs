// Runs claims in order and counts them. Claims of one chapter build on each other: after one that
// fails, the rest of its chapter is not reached, and counts as failed.

export class Tally {
  passed = 0;
  failed = 0;

  /** `claims` is a list of [name, async function]; `onFailure` may keep evidence. */
  async chapter(title, claims, onFailure = async () => {}) {
    console.log(`\n${title}`);
    let broken = false;
    for (const [name, check] of claims) {
      if (broken) {
        this.failed += 1;
        console.log(`  FAIL ${name}: not reached`);
        continue;
      }
      const began = performance.now();
      try {
        await check();
        this.passed += 1;
        console.log(`  ok   ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
      } catch (error) {
        broken = true;
        this.broke(name, error);
        await onFailure(name).catch((second) => console.log(`       no evidence: ${second.message}`));
      }
    }
  }

  broke(name, error) {
    this.failed += 1;
    console.log(`  FAIL ${name}\n       ${String(error?.message ?? error).replaceAll("\n", "\n       ")}`);
  }
}

/** Polls until `look` gives something true, and gives it back. */
export async function eventually(what, look, ms = 20_000) {
  const deadline = performance.now() + ms;
  let last;
  for (;;) {
    try {
      last = await look();
    } catch (error) {
      last = error;
    }
    if (last && !(last instanceof Error)) return last;
    if (performance.now() > deadline) {
      throw new Error(`within ${ms / 1000} s it did not happen that ${what}; last seen: ${last?.message ?? JSON.stringify(last)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function near(actual, expected, tolerance, what) {
  if (!(Math.abs(actual - expected) <= tolerance)) {
    throw new Error(`${what} is ${actual}, but should be ${expected} ± ${tolerance}`);
  }
}
