// A name that is changed where it stands: Enter keeps it, Escape does not.

import { useEffect, useRef, useState } from "react";
import { renameRecording } from "@/api/endpoints";
import { describe } from "@/api/problem";
import type { Recording } from "@/api/types";
import { t } from "@/i18n";
import { useAnnounce } from "@/ui/Announcer";
import { NAME_CHARS_MAX, nameOf } from "./name";
import styles from "./list.module.css";

type Props = { recording: Recording; onRenamed: (recording: Recording) => void; onEnd: () => void };

export function Renaming({ recording, onRenamed, onEnd }: Props) {
  const announce = useAnnounce();
  const before = nameOf(recording);
  const [name, setName] = useState(before);
  const [trouble, setTrouble] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const ended = useRef(false);
  useEffect(() => field.current?.select(), []);

  const end = () => {
    ended.current = true;
    onEnd();
  };
  const keep = () => {
    const wanted = name.trim();
    if (ended.current) return;
    if (wanted === before) {
      end();
      return;
    }
    // Nothing at all: as the file is called.
    renameRecording(recording.id, wanted === "" ? null : wanted).then(
      (renamed) => {
        onRenamed(renamed);
        announce(t("rename.done", { name: nameOf(renamed) }));
        end();
      },
      (error: unknown) => setTrouble(describe(error).detail),
    );
  };
  return (
    <span className={styles.renaming}>
      <input
        ref={field}
        type="text"
        aria-label={t("rename.label", { name: before })}
        aria-invalid={trouble !== null}
        maxLength={NAME_CHARS_MAX}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onBlur={keep}
        onKeyDown={(event) => {
          if (event.key === "Enter") keep();
          if (event.key === "Escape") end();
          // The workspace has keys of its own.
          event.stopPropagation();
        }}
      />
      {trouble !== null && (
        <span className="error" role="alert">
          {trouble}
        </span>
      )}
    </span>
  );
}
