// A recording that is here and not yet sent, from the microphone or from a file.

export type Take = {
  blob: Blob;
  name: string;
  /** null where only the server can tell. */
  duration_ms: number | null;
  source: "microphone" | "file";
  /** The microphone went away before the person stopped. */
  cutShort: boolean;
};

/** Why a chosen file cannot be a recording; null where it may be: what it really is, the server finds out. */
export function fileTrouble(file: File): string | null {
  if (file.size === 0) return `“${file.name}” is empty.`;
  if (/^(image|text|font)\/|^application\/(pdf|zip|json)$/.test(file.type)) {
    return `“${file.name}” is not a sound recording.`;
  }
  return null;
}
