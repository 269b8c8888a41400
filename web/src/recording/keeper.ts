// Writes the parts of one recording into the vault, in their order, and says if that does not work.

import { recordingName } from "./format";
import { type KeptTake, type Vault, newTakeId } from "./vault";

export class Keeper {
  readonly id = newTakeId();
  #take: KeptTake | null = null;
  #writing: Promise<void> = Promise.resolve();
  #broken = false;

  constructor(
    private readonly vault: Vault | null,
    private readonly began_at: Date,
    private readonly onBroken: (error: unknown) => void,
  ) {
    if (vault === null) this.#broken = true;
  }

  get kept(): boolean {
    return !this.#broken;
  }

  /** Resolves once the part is written, or will not be. */
  add(part: Blob, duration_ms: number): Promise<void> {
    this.#writing = this.#writing.then(() => this.#add(part, duration_ms)).catch((error: unknown) => {
      if (this.#broken) return;
      this.#broken = true;
      this.onBroken(error);
    });
    return this.#writing;
  }

  /** Resolves when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #add(part: Blob, duration_ms: number): Promise<void> {
    if (this.vault === null || this.#broken) return;
    if (this.#take === null) {
      const first = { id: this.id, name: recordingName(part.type, this.began_at), type: part.type };
      await this.vault.begin(first, this.began_at.getTime());
      this.#take = { ...first, began_at: this.began_at.getTime(), duration_ms, parts: 0 };
    }
    const take = { ...this.#take, duration_ms };
    await this.vault.append(take, part);
    this.#take = { ...take, parts: take.parts + 1 };
  }
}
