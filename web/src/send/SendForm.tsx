// E-mail, preset, format, send; then how far each is.

import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { RequestFailed } from "@/api/problem";
import type { Preset } from "@/api/types";
import { ChosenChain } from "@/chain/ChosenChain";
import { keepChain, keptChain, useChainChoice } from "@/chain/useChainChoice";
import { type Trial, useTrial } from "@/chain/useTrial";
import { t } from "@/i18n";
import "@/i18n/en";
import type { Take } from "@/recording/take";
import { CatalogueProvider } from "@/plugins/Catalogue";
import { anyText, useRemembered } from "@/ui/useRemembered";
import { EmailField } from "./EmailField";
import { FormatChoice } from "./FormatChoice";
import { PresetChoice } from "./PresetChoice";
import { TakeView } from "./TakeView";
import { type Batch, isUnderWay } from "./batch";
import { isEmail } from "./email";
import { FORMAT_DEFAULT, PRESET_DEFAULT, isFormat } from "./preset";
import type { Order } from "./useBatch";
import styles from "./send.module.css";

/** A new object for each. */
export type Failure = { error: unknown };

type Props = {
  batch: Batch;
  presets: readonly Preset[];
  /** A chain to try, instead of what was chosen last. */
  trial: Trial | null;
  /** The last that went wrong. */
  failure: Failure | null;
  onSend: (order: Order) => void;
  onCancel: () => void;
  onDiscard: (take: Take) => void;
};

export default function SendForm(props: Props) {
  return (
    <CatalogueProvider>
      <Form {...props} />
    </CatalogueProvider>
  );
}

function Form({ batch, presets, trial, failure, onSend, onCancel, onDiscard }: Props) {
  const [email, setEmail] = useRemembered("retake.email", "", anyText);
  const [wanted, setWanted] = useRemembered("retake.preset", PRESET_DEFAULT, anyText);
  const [format, setFormat] = useRemembered("retake.format", FORMAT_DEFAULT, isFormat);
  const [strict, setStrict] = useState(false);
  const emailInput = useRef<HTMLInputElement>(null);
  const choice = useChainChoice({ presets, wanted, setWanted, initial: keptChain, keep: keepChain });
  const { refuse } = choice;
  const latest = useRef(refuse);
  useEffect(() => {
    latest.current = refuse;
  });
  useEffect(() => {
    if (failure?.error instanceof RequestFailed) latest.current(failure.error.problem.errors);
  }, [failure]);
  useTrial(trial, choice.begin);
  const sending = batch.some(isUnderWay);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setStrict(true);
    if (!isEmail(email)) {
      emailInput.current?.focus();
      return;
    }
    const wish = choice.wish();
    if (wish !== null) onSend({ userEmail: email.trim(), wish, format });
  };

  return (
    <>
      <ul className={styles.takes} aria-label={t("send.takes")}>
        {batch.map((item) => (
          <TakeView key={item.take.key} item={item} alone={batch.length === 1} onDiscard={() => onDiscard(item.take)} />
        ))}
      </ul>
      {/* The browser's own validation bubbles would hide our words, which screen readers get as well. */}
      <form className={styles.form} noValidate onSubmit={submit}>
        <fieldset className={styles.plain} disabled={sending}>
          {presets.length > 0 && (
            <>
              <PresetChoice choice={choice} />
              <ChosenChain choice={choice} />
            </>
          )}
          <div className={styles.pair}>
            <EmailField
              value={email}
              onChange={setEmail}
              strict={strict}
              onLeave={() => setStrict(true)}
              input={emailInput}
            />
            <FormatChoice value={format} onChange={setFormat} />
          </div>
        </fieldset>
        <div className="actions">
          {/* Two buttons, not one that changes: a press of Cancel would send what it has just become. */}
          {sending ? (
            <button key="cancel" type="button" onClick={onCancel}>
              {t("cancel")}
            </button>
          ) : (
            <button key="send" type="submit" className="primary">
              {batch.length === 1 ? t("send") : t("send.all", { count: batch.length })}
            </button>
          )}
        </div>
      </form>
    </>
  );
}
