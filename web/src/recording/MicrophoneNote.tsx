// Why the microphone cannot be used, and what to do about it.

import { type Key, t } from "@/i18n";
import "@/i18n/en";
import type { MicrophoneTrouble } from "./microphone";

const WORDS: Readonly<Record<MicrophoneTrouble, { title: Key; next: Key }>> = {
  denied: { title: "microphone.denied", next: "microphone.denied.next" },
  missing: { title: "microphone.missing", next: "microphone.missing.next" },
  busy: { title: "microphone.busy", next: "microphone.busy.next" },
  insecure: { title: "microphone.insecure", next: "microphone.insecure.next" },
  unsupported: { title: "microphone.unsupported", next: "microphone.unsupported.next" },
  other: { title: "microphone.other", next: "microphone.other.next" },
};

export default function MicrophoneNote({ trouble }: { trouble: MicrophoneTrouble }) {
  const { title, next } = WORDS[trouble];
  return (
    <div className="note trouble" role="alert">
      <p>
        <strong>{t(title)}.</strong> {t(next)}
      </p>
    </div>
  );
}
