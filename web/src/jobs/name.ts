// What a recording is called.

import type { Recording } from "@/api/types";
import { t } from "@/i18n";

export const NAME_CHARS_MAX = 255;

export function nameOf({ name, file_name }: Pick<Recording, "name" | "file_name">): string {
  return name ?? file_name ?? t("recording");
}
