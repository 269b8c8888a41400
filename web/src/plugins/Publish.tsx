// Publishing: the admin key, then a .wasm, then the verdict.

import { useId, useState } from "react";
import type { Chain } from "@/api/chain";
import { isAdminKey } from "@/api/admin";
import { type Trouble, describe } from "@/api/problem";
import { TroubleNote } from "@/ui/TroubleNote";
import { PublishFile } from "./PublishFile";
import type { useAdminKey } from "./useAdminKey";
import styles from "./plugins.module.css";

type Props = {
  admin: ReturnType<typeof useAdminKey>;
  onTry: (chain: Chain, name: string) => void;
  onPublished: () => void;
};

export function Publish({ admin, onTry, onPublished }: Props) {
  return (
    <section className="card" aria-labelledby="publish">
      <h2 id="publish">Publish a plugin</h2>
      {admin.key === "" ? (
        <KeyForm onKey={admin.keep} />
      ) : (
        <>
          <p className="muted">
            The admin key is held by this tab until it is closed.{" "}
            <button type="button" className={`quiet ${styles.inline}`} onClick={admin.drop}>
              Forget it now
            </button>
          </p>
          <PublishFile adminKey={admin.key} onTry={onTry} onPublished={onPublished} />
        </>
      )}
    </section>
  );
}

function KeyForm({ onKey }: { onKey: (key: string) => void }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  const unlock = async () => {
    const key = typed.trim();
    setTrouble(null);
    if (key === "") {
      setRefused("Enter the admin key.");
      return;
    }
    setBusy(true);
    try {
      if (await isAdminKey(key)) onKey(key);
      else setRefused("The server does not know this key.");
    } catch (error) {
      setTrouble(describe(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className={styles.key}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void unlock();
      }}
    >
      <p className="muted">
        Only whoever runs this server may publish. The server wrote its key into <code>admin.key</code> in its data
        folder when it first started. It is kept by this tab alone, until the tab is closed.
      </p>
      <label htmlFor={id}>Admin key</label>
      <input
        id={id}
        type="password"
        autoComplete="off"
        spellCheck={false}
        value={typed}
        aria-invalid={refused !== null}
        aria-describedby={`${id}-trouble`}
        onChange={(event) => {
          setTyped(event.target.value);
          setRefused(null);
        }}
      />
      <p id={`${id}-trouble`} className={`error ${styles.reserved}`} aria-live="polite">
        {refused ?? ""}
      </p>
      <div className="actions">
        <button type="submit" className="primary" disabled={busy}>
          {busy ? "Asking…" : "Use this key"}
        </button>
      </div>
      {trouble !== null && <TroubleNote trouble={trouble} alert />}
    </form>
  );
}
