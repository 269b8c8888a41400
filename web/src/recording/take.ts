// A recording that is here and not yet sent, from the microphone or from a file.

import { newKey } from "@/api/again";
import { t } from "@/i18n";
import { visible } from "@/ui/words";

export type Take = {
  /** Names it while it is sent: however often that is tried, it becomes one recording. */
  key: string;
  blob: Blob;
  name: string;
  /** null where only the server can tell. */
  duration_ms: number | null;
  source: "microphone" | "file";
  /** The microphone went away before the person stopped. */
  cutShort: boolean;
  /** Whether it is in the vault, under its key. */
  kept: boolean;
};

export function takeOf(file: File): Take {
  return {
    key: newKey(),
    blob: file,
    name: visible(file.name),
    duration_ms: null,
    source: "file",
    cutShort: false,
    kept: false,
  };
}

/** Why a chosen file cannot be a recording; null where it may be: what it really is, the server finds out. */
export function fileTrouble(file: File): string | null {
  if (file.size === 0) return t("file.empty", { name: visible(file.name) });
  if (/^(image|text|font)\/|^application\/(pdf|zip|json)$/.test(file.type)) {
    return t("file.noSound", { name: visible(file.name) });
  }
  return null;
}
