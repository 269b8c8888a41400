// Keeps what is being recorded in the browser's own database, part by part, so that a crash, a closed tab or a dead
// battery loses no more than the part that was not written yet. A take that somebody holds is locked: another tab does
// not offer it.

import { newKey } from "@/api/again";

const NAME = "retake";
const TAKES = "takes";
const PARTS = "parts";

export type KeptTake = {
  id: string;
  /** Of the file that it becomes. */
  name: string;
  type: string;
  began_at: number;
  duration_ms: number;
  parts: number;
};

export type NewTake = Pick<KeptTake, "id" | "name" | "type">;

/** Where there is no database (forbidden, full), recordings are kept in memory alone: each of these says whether it worked. */
export class Vault {
  #opened: Promise<IDBDatabase> | null = null;
  /** By take: what lets go of its lock. */
  readonly #held = new Map<string, () => void>();

  constructor(private readonly factory: IDBFactory = indexedDB) {}

  async begin({ id, name, type }: NewTake, began_at: number): Promise<void> {
    this.hold(id);
    const take: KeptTake = { id, name, type, began_at, duration_ms: 0, parts: 0 };
    await this.#write([TAKES], (store) => store(TAKES).put(take));
  }

  /** The part and what the take has become with it, or neither. */
  async append(take: KeptTake, part: Blob): Promise<void> {
    await this.#write([TAKES, PARTS], (store) => {
      store(PARTS).put(part, [take.id, take.parts]);
      return store(TAKES).put({ ...take, parts: take.parts + 1 });
    });
  }

  /** What was begun and neither sent nor thrown away, and nobody holds; the newest first. */
  async list(): Promise<KeptTake[]> {
    const takes = (await this.#read(TAKES, (store) => store.getAll())) as KeptTake[];
    const held = await heldLocks();
    return takes
      .filter(({ id, parts }) => parts > 0 && !this.#held.has(id) && !held.has(lockOf(id)))
      .sort((a, b) => b.began_at - a.began_at);
  }

  async blob({ id, type }: Pick<KeptTake, "id" | "type">): Promise<Blob> {
    const range = IDBKeyRange.bound([id, 0], [id, Infinity]);
    const parts = (await this.#read(PARTS, (store) => store.getAll(range))) as Blob[];
    return new Blob(parts, { type });
  }

  async remove(id: string): Promise<void> {
    this.release(id);
    await this.#write([TAKES, PARTS], (store) => {
      store(PARTS).delete(IDBKeyRange.bound([id, 0], [id, Infinity]));
      return store(TAKES).delete(id);
    });
  }

  /** Until it is let go of, no other tab offers it. */
  hold(id: string): void {
    if (this.#held.has(id)) return;
    const { promise: until, resolve } = deferred();
    this.#held.set(id, resolve);
    // Without locks another tab may offer it as well; sent twice it is still one recording.
    void locks()?.request(lockOf(id), () => until);
  }

  release(id: string): void {
    this.#held.get(id)?.();
    this.#held.delete(id);
  }

  #open(): Promise<IDBDatabase> {
    this.#opened ??= new Promise((resolve, reject) => {
      const asked = this.factory.open(NAME, 1);
      asked.onupgradeneeded = () => {
        asked.result.createObjectStore(TAKES, { keyPath: "id" });
        asked.result.createObjectStore(PARTS);
      };
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(failure(asked.error));
    });
    return this.#opened;
  }

  async #read(name: string, ask: (store: IDBObjectStore) => IDBRequest<unknown[]>): Promise<unknown[]> {
    const database = await this.#open();
    return await new Promise((resolve, reject) => {
      const asked = ask(database.transaction(name, "readonly").objectStore(name));
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(failure(asked.error));
    });
  }

  async #write(names: string[], change: (store: (name: string) => IDBObjectStore) => IDBRequest): Promise<void> {
    const database = await this.#open();
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(names, "readwrite", { durability: "strict" });
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(failure(transaction.error));
      change((name) => transaction.objectStore(name));
    });
  }
}

/** `Promise.withResolvers` is missing in browsers of 2023. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  const resolvers: (() => void)[] = [];
  const promise = new Promise<void>((resolve) => resolvers.push(resolve));
  return { promise, resolve: () => resolvers[0]?.() };
}

function failure(error: DOMException | null): Error {
  return error ?? new Error("the browser's database does not answer");
}

function lockOf(id: string): string {
  return `retake.take.${id}`;
}

/** Missing where a page is not reached by https. */
function locks(): LockManager | undefined {
  return (navigator as { locks?: LockManager }).locks;
}

async function heldLocks(): Promise<ReadonlySet<string>> {
  const found = await locks()?.query();
  return new Set((found?.held ?? []).flatMap(({ name }) => (name === undefined ? [] : [name])));
}

export function newTakeId(): string {
  return newKey();
}

export const vault = typeof indexedDB === "undefined" ? null : new Vault();
