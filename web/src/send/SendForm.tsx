// E-mail, preset, format, send; then the upload's progress.

import { type SubmitEvent, useRef, useState } from "react";
import { RequestFailed } from "@/api/problem";
import type { Accepted, Preset } from "@/api/types";
import type { Upload } from "@/api/upload";
import { ChosenChain } from "@/chain/ChosenChain";
import { keepChain, keptChain, useChainChoice } from "@/chain/useChainChoice";
import { type Trial, useTrial } from "@/chain/useTrial";
import type { Take } from "@/recording/take";
import { TroubleNote } from "@/ui/TroubleNote";
import { anyText, useRemembered } from "@/ui/useRemembered";
import { percent } from "@/ui/words";
import { EmailField } from "./EmailField";
import { FormatChoice } from "./FormatChoice";
import { PresetChoice } from "./PresetChoice";
import { TakeView } from "./TakeView";
import { isEmail } from "./email";
import { FORMAT_DEFAULT, PRESET_DEFAULT, isFormat } from "./preset";
import { useUpload } from "./useUpload";
import styles from "./send.module.css";

type Props = {
  take: Take;
  presets: readonly Preset[];
  /** A chain to try, instead of what was chosen last. */
  trial: Trial | null;
  onDiscard: () => void;
  onAccepted: (upload: Upload, accepted: Accepted) => void;
};

export function SendForm({ take, presets, trial, onDiscard, onAccepted }: Props) {
  const [email, setEmail] = useRemembered("retake.email", "", anyText);
  const [wanted, setWanted] = useRemembered("retake.preset", PRESET_DEFAULT, anyText);
  const [format, setFormat] = useRemembered("retake.format", FORMAT_DEFAULT, isFormat);
  const [strict, setStrict] = useState(false);
  const emailInput = useRef<HTMLInputElement>(null);
  const choice = useChainChoice({ presets, wanted, setWanted, initial: keptChain, keep: keepChain });
  const { state, send, cancel } = useUpload(onAccepted, (error) => {
    if (error instanceof RequestFailed) choice.refuse(error.problem.errors);
  });
  useTrial(trial, choice.begin);
  const sending = state.phase === "sending";

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setStrict(true);
    if (!isEmail(email)) {
      emailInput.current?.focus();
      return;
    }
    const wish = choice.wish();
    if (wish !== null) send({ recording: take.blob, fileName: take.name, userEmail: email.trim(), wish, format });
  };

  return (
    <>
      <TakeView take={take} disabled={sending} onDiscard={onDiscard} />
      {/* The browser's own validation bubbles would hide our words, which screen readers get as well. */}
      <form className={styles.form} noValidate onSubmit={submit}>
        <fieldset className={styles.plain} disabled={sending}>
          <EmailField
            value={email}
            onChange={setEmail}
            strict={strict}
            onLeave={() => setStrict(true)}
            input={emailInput}
          />
          {presets.length > 0 && (
            <>
              <PresetChoice choice={choice} />
              <ChosenChain choice={choice} />
            </>
          )}
          <FormatChoice value={format} onChange={setFormat} />
        </fieldset>
        {sending ? (
          <Sending fraction={state.fraction} onCancel={cancel} />
        ) : (
          <div className="actions">
            <button type="submit" className="primary">
              Send
            </button>
          </div>
        )}
        {state.phase === "failed" && <TroubleNote trouble={state.trouble} alert />}
      </form>
    </>
  );
}

function Sending({ fraction, onCancel }: { fraction: number; onCancel: () => void }) {
  const sent = fraction >= 1;
  return (
    <div className={styles.sending}>
      <p role="status">{sent ? "Sent; the server is storing it…" : "Sending…"}</p>
      <progress aria-label="Sent" {...(sent ? {} : { value: fraction })} />
      <p className="muted">{percent(fraction)}</p>
      <button type="button" onClick={onCancel}>
        Cancel
      </button>
    </div>
  );
}
